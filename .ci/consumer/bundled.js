// The same in one bundle.
import { memoizeAsync } from 'aiocachetools';

const required = require('aiocachetools');
if (required.memoizeAsync !== memoizeAsync) throw new Error('The bundle holds two copies');
