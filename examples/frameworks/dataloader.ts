// dataloader and batched side by side: how often a batch function is asked, and for what.
import DataLoader from 'dataloader';
import { batched, memoizeAsync } from 'aiocachetools';

let asked: string[] = [];
const isUp = { value: true };

/** Fulfils the contract of both. */
async function loadUsers(ids: readonly number[]): Promise<(string | Error)[]> {
  asked.push(ids.join(','));
  if (!isUp.value) throw new Error('down');
  return ids.map((id) => (id > 0 ? `user ${id}` : new RangeError(`no user ${id}`)));
}

const users = new DataLoader(loadUsers);
const getUser = memoizeAsync(batched(loadUsers), { name: 'getUser', ttl: 1_000 });

const contenders = {
  dataloader: (id: number) => users.load(id),
  batched: (id: number) => getUser(id),
};

async function compare(what: string, ask: (get: (id: number) => Promise<string>) => Promise<unknown>): Promise<void> {
  console.log(what);
  for (const [name, get] of Object.entries(contenders)) {
    asked = [];
    const answer = await ask(get).catch(String);
    console.log(`  ${name.padEnd(10)}  ${JSON.stringify(answer)}, asked for [${asked.join('] and [')}]`);
  }
}

await compare('Together, and one of them twice:', (get) => Promise.all([get(1), get(2), get(1)]));
await compare('Known, and not known:', (get) => Promise.all([get(2), get(3)]));
await compare('An error of one item:', (get) => Promise.allSettled([get(4), get(-1)]).then(([ok]) => ok));
await compare('The same item again: dataloader keeps the error', (get) => get(-1));

isUp.value = false;
await compare('An outage:', (get) => get(5));
isUp.value = true;
await compare('After it:', (get) => get(5));

await new Promise((resolve) => setTimeout(resolve, 1_100));
await compare('When `ttl` is over: a loader lives as long as a request', (get) => get(1));

// Output:
// Together, and one of them twice:
//   dataloader  ["user 1","user 2","user 1"], asked for [1,2]
//   batched     ["user 1","user 2","user 1"], asked for [1,2]
// Known, and not known:
//   dataloader  ["user 2","user 3"], asked for [3]
//   batched     ["user 2","user 3"], asked for [3]
// An error of one item:
//   dataloader  {"status":"fulfilled","value":"user 4"}, asked for [4,-1]
//   batched     {"status":"fulfilled","value":"user 4"}, asked for [4,-1]
// The same item again: dataloader keeps the error
//   dataloader  "RangeError: no user -1", asked for []
//   batched     "RangeError: no user -1", asked for [-1]
// An outage:
//   dataloader  "Error: down", asked for [5]
//   batched     "Error: down", asked for [5]
// After it:
//   dataloader  "user 5", asked for [5]
//   batched     "user 5", asked for [5]
// When `ttl` is over: a loader lives as long as a request
//   dataloader  "user 1", asked for []
//   batched     "user 1", asked for [1]
