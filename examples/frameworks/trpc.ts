// tRPC: a procedure over a memoized function. The context is left out of the key, but for the tenant that it names.
import { initTRPC } from '@trpc/server';
import { memoizeAsync } from 'aiocachetools';

interface Context {
  readonly tenant: string;
  readonly requestId: string;
}

let queries = 0;

const listOrders = memoizeAsync(
  async (input: { readonly page: number }, { tenant }: Context) => {
    queries += 1;
    return [`${tenant}, page ${input.page}`];
  },
  // Never leave out what decides who may see the result.
  { name: 'orders', ttl: 60_000, keyOf: (input, { tenant }) => [tenant, input] },
);

const t = initTRPC.context<Context>().create();

const router = t.router({
  orders: t.procedure
    .input((input: unknown) => input as { page: number })
    .query(({ input, ctx }) => listOrders(input, ctx)),
});

const callerOf = t.createCallerFactory(router);
for (const [tenant, requestId] of [
  ['acme', 'a1'],
  ['acme', 'a2'],
  ['umbrella', 'b1'],
] as const) {
  console.log(await callerOf({ tenant, requestId }).orders({ page: 1 }));
}
console.log(`${queries} queries`);

// Output:
// [ 'acme, page 1' ]
// [ 'acme, page 1' ]
// [ 'umbrella, page 1' ]
// 2 queries
