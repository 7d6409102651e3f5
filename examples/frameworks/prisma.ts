// Prisma: its Decimal is that of decimal.js, a class instance, so `encode` says what it is.
import { Decimal } from 'decimal.js';
import { memoizeAsync } from 'aiocachetools';

let queries = 0;

/** As the generated client has it. */
const prisma = {
  product: {
    findMany: async (query: { readonly where: { readonly price: { readonly lte: Decimal } } }) => {
      queries += 1;
      return [{ name: 'tea', price: query.where.price.lte.minus('0.01') }];
    },
  },
};

const findProducts = memoizeAsync(
  (...args: Parameters<typeof prisma.product.findMany>) => prisma.product.findMany(...args),
  {
    name: 'products',
    ttl: 60_000,
    encode: (value) => (Decimal.isDecimal(value) ? ['Decimal', value.toString()] : undefined),
  },
);

await findProducts({ where: { price: { lte: new Decimal('5.00') } } });
const [product] = await findProducts({ where: { price: { lte: new Decimal('5') } } });
console.log(product?.name, product?.price.toString(), `${queries} query`);

// Output:
// tea 4.99 1 query
