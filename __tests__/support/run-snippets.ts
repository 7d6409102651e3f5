/** Runs the modules named on the command line in turn and prints, as JSON, what each of them logged. */
import { format } from 'node:util';
import { openWorld } from './readme-world.js';

const close = await openWorld();
const outputs: string[][] = [];
const { log } = console;
for (const path of process.argv.slice(2)) {
  const lines: string[] = [];
  console.log = (...values: unknown[]) => lines.push(format(...values));
  try {
    await import(path);
  } catch (error) {
    console.error(path);
    throw error;
  }
  await new Promise((resolve) => setImmediate(resolve));
  outputs.push(lines);
}
console.log = log;
console.log(JSON.stringify(outputs));
close();
