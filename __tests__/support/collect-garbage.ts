import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects what nothing holds any more, once the current job is over: a `WeakRef` is kept alive until then. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await new Promise((resolve) => setImmediate(resolve));
  collect();
}

/** Collects until a claim about memory holds: that of buffers is given back beside us. Throws where it never does. */
export async function collectedUntil(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    await collectGarbage();
    if (holds()) return;
  }
  throw new Error(`Still held: ${JSON.stringify(process.memoryUsage())}`);
}
