import * as library from 'aiocachetools';
import exercise from './exercise.cjs';

console.log(JSON.stringify(await exercise(library)));
