// GraphQL: dataloader gathers what one request asks for, memoizeAsync remembers it from one request to the next.
import DataLoader from 'dataloader';
import { buildSchema, graphql } from 'graphql';
import { memoizeAsync } from 'aiocachetools';

interface Author {
  readonly id: string;
  readonly name: string;
}

interface Context {
  readonly authors: DataLoader<string, Author>;
}

const queries: string[] = [];

/** One for each request: it holds nothing of another user's. */
const createContext = (): Context => ({
  authors: new DataLoader(async (ids) => {
    queries.push(`SELECT * FROM authors WHERE id IN (${ids.join(', ')})`);
    return ids.map((id) => ({ id, name: `Author ${id}` }));
  }),
});

// The loader is not part of the key. A run uses the loader of the first caller.
const getAuthor = memoizeAsync((id: string, { authors }: Context) => authors.load(id), {
  name: 'author',
  ignore: [1],
  ttl: 60_000,
});

const schema = buildSchema(`
  type Author { id: ID!, name: String! }
  type Query { author(id: ID!): Author }
`);

const rootValue = {
  author: ({ id }: { id: string }, context: Context): Promise<Author> => getAuthor(id, context),
};

async function ask(source: string): Promise<void> {
  const { data } = await graphql({ schema, rootValue, source, contextValue: createContext() });
  console.log(JSON.stringify(data));
}

await ask('{ a: author(id: 1) { name }, b: author(id: 2) { name }, again: author(id: 1) { name } }');
await ask('{ b: author(id: 2) { name }, c: author(id: 3) { name } }');
console.log(queries);

// Output:
// {"a":{"name":"Author 1"},"b":{"name":"Author 2"},"again":{"name":"Author 1"}}
// {"b":{"name":"Author 2"},"c":{"name":"Author 3"}}
// [
//   'SELECT * FROM authors WHERE id IN (1, 2)',
//   'SELECT * FROM authors WHERE id IN (3)'
// ]
