/** What peers do and this library does not, as the second table says; each with a check that runs. */
export const strengths = [
  {
    claim: 'dataloader gathers keys into one batch',
    async check() {
      const { default: DataLoader } = await import('dataloader');
      const batches = [];
      const loader = new DataLoader(async (keys) => {
        batches.push([...keys]);
        return keys;
      });
      await Promise.all([loader.load(1), loader.load(2)]);
      return JSON.stringify(batches) === '[[1,2]]';
    },
  },
  {
    claim: 'async-cache-dedupe forgets by a pattern of references',
    async check() {
      const { createCache } = (await import('async-cache-dedupe')).default;
      let runs = 0;
      const storage = { type: 'memory', options: { invalidation: true } };
      const cache = createCache({ ttl: 60, storage });
      cache.define('call', { references: (id) => [`user:${id}`] }, async () => (runs += 1));
      for (const id of ['a', 'b']) await cache.call(id);
      await cache.invalidateAll('user:*');
      for (const id of ['a', 'b']) await cache.call(id);
      return runs === 4;
    },
  },
  {
    claim: 'cacheable forgets by tag in any store of Keyv',
    async check() {
      const { Cacheable } = await import('cacheable');
      const { Keyv } = await import('keyv');
      const far = new Map();
      const open = () => new Cacheable({ secondary: new Keyv({ store: far }), tags: true });
      const [one, two] = [open(), open()];
      await one.set('a', 1, { tags: ['t'] });
      const before = await two.get('a');
      await one.tags.invalidateTag('t');
      return before === 1 && (await two.get('a')) === undefined;
    },
  },
  {
    claim: 'cachified migrates values of another shape',
    async check() {
      const { cachified } = await import('@epic-web/cachified');
      const cache = new Map();
      await cachified({ key: 'a', cache, getFreshValue: () => ({ fullName: 'Ada' }) });
      const checkValue = (value, migrate) => (value.name === undefined ? migrate({ name: value.fullName }) : true);
      const value = await cachified({ key: 'a', cache, checkValue, getFreshValue: () => ({ name: 'new' }) });
      return value.name === 'Ada';
    },
  },
  {
    claim: 'bentocache hands out copies',
    async check() {
      const bento = await bentocache();
      const read = () => bento.getOrSet({ key: 'a', factory: () => ({ list: [1] }) });
      await read();
      (await read()).list.push(2);
      return (await read()).list.length === 1;
    },
  },
];

async function bentocache() {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  return new BentoCache({ default: 'memory', stores: { memory: bentostore().useL1Layer(memoryDriver({})) } });
}
