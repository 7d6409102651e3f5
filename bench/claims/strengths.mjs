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
    claim: 'bentocache forgets by tag',
    async check() {
      const bento = await bentocache();
      await bento.set({ key: 'a', value: 1, tags: ['t'] });
      await bento.set({ key: 'b', value: 2 });
      await bento.deleteByTag({ tags: ['t'] });
      return (await bento.get({ key: 'a' })) === undefined && (await bento.get({ key: 'b' })) === 2;
    },
  },
  {
    claim: 'async-cache-dedupe forgets by reference',
    async check() {
      const { createCache } = (await import('async-cache-dedupe')).default;
      let runs = 0;
      const storage = { type: 'memory', options: { invalidation: true } };
      const cache = createCache({ ttl: 60, storage });
      cache.define('call', { references: (id) => [`tag:${id}`] }, async () => (runs += 1));
      await cache.call('a');
      await cache.invalidateAll('tag:a');
      await cache.call('a');
      return runs === 2;
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
