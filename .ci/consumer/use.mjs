import * as library from 'aiocachetools';
import * as redis from 'aiocachetools/redis';
import exercise from './exercise.cjs';

console.log(JSON.stringify(await exercise(library, redis)));
