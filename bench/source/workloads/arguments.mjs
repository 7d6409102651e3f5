/** A small generator of pseudo-random numbers, so that every process sees the same traffic. */
export function randomFrom(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

/** `count` indices below `size`, each as likely as the other. */
export function uniformOrder(size, count = 65_536) {
  const random = randomFrom(2_463_534_242);
  return Uint32Array.from({ length: count }, () => Math.floor(random() * size));
}

/** `count` indices below `size` whose popularity falls as 1 / rank ** exponent; ranks are spread over the indices. */
export function zipfOrder(size, exponent, count = 1 << 20) {
  const random = randomFrom(88_675_123);
  const cumulated = new Float64Array(size);
  let total = 0;
  for (let rank = 0; rank < size; rank += 1) cumulated[rank] = total += 1 / (rank + 1) ** exponent;
  const indexOf = Uint32Array.from({ length: size }, (_, index) => index);
  for (let last = size - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [indexOf[last], indexOf[other]] = [indexOf[other], indexOf[last]];
  }
  return Uint32Array.from({ length: count }, () => {
    const wanted = random() * total;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulated[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return indexOf[low];
  });
}

/**
 * The argument lists of one shape, by number. `idOf` reads the number back, so that the function under test works from
 * its arguments alone.
 */
const sorts = ['name', 'age', 'city', 'size', 'rank', 'time', 'cost', 'kind', 'mode', 'role'];
const languages = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'sv', 'da', 'fi'];
const tenants = Array.from({ length: 50 }, (_, index) => `tenant-${index + 100}`);
const urls = Array.from({ length: 10 }, (_, index) => `https://api.example.com/v1/collections/${index}/items`);

export const shapes = {
  string: {
    make: (id) => [`user:${id}`],
    idOf: (key) => Number(key.slice(5)),
  },
  pair: {
    make: (id) => [tenants[id % 50], Math.floor(id / 50)],
    idOf: (tenant, number) => tenants.indexOf(tenant) + number * 50,
  },
  options: {
    make: (id) => [optionsOf(id)],
    idOf: ({ page, sort }) => page * 10 + sorts.indexOf(sort),
  },
  request: {
    make: (id) => [urlOf(id), initOf(id)],
    idOf: (url, { headers }) => urls.indexOf(url) + languages.indexOf(headers.language) * 10,
  },
};

export function optionsOf(id) {
  return { page: Math.floor(id / 10), limit: 20, sort: sorts[id % 10] };
}

export function urlOf(id) {
  return urls[id % 10];
}

export function initOf(id) {
  return {
    method: 'GET',
    headers: { accept: 'application/json', tenant: 'acme', language: languages[Math.floor(id / 10)], trace: 'off' },
    query: { page: 1, limit: 50, sort: 'created', order: 'desc', filter: 'active' },
  };
}
