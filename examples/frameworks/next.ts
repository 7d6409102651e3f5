// Next.js: a data layer that pages and route handlers share. Nothing of Next.js is needed: no cacheHandlers, no unstable_cache.
import { memoizeAsync } from 'aiocachetools';

interface Product {
  readonly id: string;
  readonly price: number;
}

let queries = 0;

/** In `lib/data.ts` of the app. One for each process; with `redisStore` one for all. */
const getProduct = memoizeAsync(
  async (id: string): Promise<Product> => {
    queries += 1;
    return { id, price: 10 * queries };
  },
  { name: 'product', ttl: 60_000, staleWhileRevalidate: 600_000 },
);

/** In `app/api/products/[id]/route.ts`. A page calls `getProduct` in the same way. */
async function GET(_request: Request, { params }: { params: Promise<{ id: string }> }): Promise<Response> {
  const { id } = await params;
  return Response.json(await getProduct(id));
}

/** A server action, after the write. On a serverless host: `after(() => getProduct.settled())`. */
async function updateProduct(id: string): Promise<void> {
  await getProduct.delete(id);
}

const get = async (id: string): Promise<unknown> =>
  (await GET(new Request('http://localhost/'), { params: Promise.resolve({ id }) })).json();

console.log(await Promise.all([get('a'), get('a'), get('b')]));
await updateProduct('a');
console.log(await get('a'), `${queries} queries`);

// Output:
// [
//   { id: 'a', price: 10 },
//   { id: 'a', price: 10 },
//   { id: 'b', price: 20 }
// ]
// { id: 'a', price: 30 } 3 queries
