const createDebug = require('debug');
const { memoizeAsync } = require('aiocachetools');
const expectLog = require('./expect-log.cjs');

void expectLog(createDebug, memoizeAsync);
