// React Router and Remix: loaders of one request, and of many, share a run. The request's signal ends only its own call.
import { createStaticHandler } from 'react-router';
import type { LoaderFunctionArgs } from 'react-router';
import { memoizeAsync } from 'aiocachetools';

let queries = 0;

const getUser = memoizeAsync(
  async (id: string, _signal: AbortSignal) => {
    queries += 1;
    return { id, name: `User ${id}` };
  },
  { name: 'user', ttl: 60_000 },
);

// The signal is not part of the key: each request has its own.
const loader = ({ params, request }: LoaderFunctionArgs) => getUser(params['id']!, request.signal);

const { query } = createStaticHandler([
  { id: 'layout', path: '/users/:id', loader, children: [{ id: 'page', index: true, loader }] },
]);

for (const id of ['7', '7', '8']) {
  const context = await query(new Request(`http://localhost/users/${id}`));
  if (context instanceof Response) throw new Error(`Unexpected response ${context.status}`);
  console.log(JSON.stringify(context.loaderData));
}
console.log(`${queries} queries for 6 loaders`);

// Output:
// {"layout":{"id":"7","name":"User 7"},"page":{"id":"7","name":"User 7"}}
// {"layout":{"id":"7","name":"User 7"},"page":{"id":"7","name":"User 7"}}
// {"layout":{"id":"8","name":"User 8"},"page":{"id":"8","name":"User 8"}}
// 2 queries for 6 loaders
