/** Runs the modules named on the command line in turn and prints, as JSON, what each of them logged. */
import { openWorld } from './readme-world.js';

const close = await openWorld();
const outputs: string[][] = [];
const { log } = console;
for (const path of process.argv.slice(2)) {
  const lines: string[] = [];
  console.log = (...values: unknown[]) => lines.push(values.map(String).join(' '));
  await import(path);
  await new Promise((resolve) => setImmediate(resolve));
  outputs.push(lines);
}
console.log = log;
console.log(JSON.stringify(outputs));
close();
