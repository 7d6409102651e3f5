const exercise = require('./exercise.cjs');

exercise(require('aiocachetools'), require('aiocachetools/redis')).then((keys) => console.log(JSON.stringify(keys)));
