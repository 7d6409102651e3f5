import { Comparison } from './comparison.js';
import { describeStep, randomSettings, randomSteps } from './commands.js';
import { Random } from './random.js';
import { Rules } from './rules.js';
import { World } from './world.js';
import type { Settings, Step } from './commands.js';

/** How many commands are given to one world. */
const LENGTH = 40;

/** Gives `steps` to a new world and says what went wrong, if anything did. */
export async function play(settings: Settings, steps: readonly Step[]): Promise<string | undefined> {
  const world = new World(settings);
  const rules = new Rules(world);
  const comparison = settings.store === 'at once' ? new Comparison(world) : undefined;
  const perform = async (step: Step): Promise<void> => {
    comparison?.expect(step);
    await world.perform(step);
    if (step.turns !== Infinity) return;
    rules.check();
    await comparison?.check();
  };
  for (const step of steps) {
    await perform(settlesNow(step, settings));
    if (world.violations.length > 0) return `after ${describeStep(step)}: ${world.violations.join('; ')}`;
  }
  await end(world, perform);
  await rules.checkEnd();
  return world.violations.length > 0 ? `finally: ${world.violations.join('; ')}` : undefined;
}

/** The reference knows no microtasks: what settles there is noticed before the next command. */
function settlesNow(step: Step, { store }: Settings): Step {
  const settles = ['fulfil', 'reject', 'bring', 'withhold', 'prime'].includes(step.do);
  return store === 'at once' && settles ? { ...step, turns: Infinity } : step;
}

/** Everything settles: runs, promises, the store; nothing more is asked for. */
async function end(world: World, perform: (step: Step) => Promise<void>): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const [run] = world.unsettled('run');
    const [prime] = world.unsettled('prime');
    if (run !== undefined) await perform({ do: 'fulfil', pick: 0, turns: Infinity });
    else if (prime !== undefined) await perform({ do: 'bring', pick: 0, turns: Infinity });
    else if (world.pendingOperations > 0) await perform({ do: 'answer all', turns: Infinity });
    else if (round % 2 === 1) return;
    else await perform({ do: 'advance', by: 1_000, turns: Infinity });
  }
}

/** Plays random worlds until `operations` commands have been given. Throws, with the shortest trace that it finds. */
export async function playRandom(
  seed: number,
  operations: number,
  options: { readonly hasTime: boolean },
): Promise<number> {
  const random = new Random(seed);
  let played = 0;
  while (played < operations) {
    const settings = randomSettings(random, options.hasTime);
    const steps = randomSteps(random, settings, LENGTH);
    const failure = await play(settings, steps);
    if (failure !== undefined) throw new Error(await report(seed, settings, steps));
    played += steps.length;
  }
  return played;
}

async function report(seed: number, settings: Settings, steps: readonly Step[]): Promise<string> {
  const shortest = await shrink(settings, steps);
  const failure = await play(settings, shortest);
  const trace = shortest.map((step, index) => `  ${index + 1}. ${describeStep(step)}`).join('\n');
  return `SEED=${seed}\n${JSON.stringify(settings)}\n${trace}\n${failure}`;
}

/** Leaves out whatever can be left out. */
async function shrink(settings: Settings, steps: readonly Step[]): Promise<readonly Step[]> {
  let shortest = steps;
  for (let size = steps.length >> 1; size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let from = 0; from < shortest.length;) {
      const without = [...shortest.slice(0, from), ...shortest.slice(from + size)];
      if ((await play(settings, without)) === undefined) from += size;
      else shortest = without;
    }
  }
  return shortest;
}
