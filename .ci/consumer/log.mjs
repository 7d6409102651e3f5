import createDebug from 'debug';
import { memoizeAsync } from 'aiocachetools';
import expectLog from './expect-log.cjs';

await expectLog(createDebug, memoizeAsync);
