const exercise = require('./exercise.cjs');

exercise(require('aiocachetools')).then((keys) => console.log(JSON.stringify(keys)));
