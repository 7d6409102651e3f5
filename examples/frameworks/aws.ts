// AWS SDK: some methods of a client memoized, the rest as they are. A stub stands for the network.
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import { memoizeMethods } from 'aiocachetools';

let requests = 0;

/** What DynamoDB would answer. */
const requestHandler = {
  handle: async () => {
    requests += 1;
    const body = new TextEncoder().encode(JSON.stringify({ Item: { id: { S: '7' }, name: { S: 'Ada' } } }));
    const headers = { 'content-type': 'application/x-amz-json-1.0' };
    return { response: { statusCode: 200, headers, body: new Blob([body]).stream() } };
  },
};

const client = new DynamoDB({
  region: 'eu-central-1',
  endpoint: 'http://localhost',
  credentials: { accessKeyId: 'example', secretAccessKey: 'example' },
  requestHandler,
});

const dynamo = memoizeMethods(client, { getItem: { ttl: 60_000 } }, { name: 'dynamo' });

const input = { TableName: 'users', Key: { id: { S: '7' } } };
const [one, two] = await Promise.all([dynamo.getItem(input), dynamo.getItem({ ...input })]);
console.log(one.Item?.['name']?.S, one === two, `${requests} request`);

await dynamo.putItem({ TableName: 'users', Item: { id: { S: '7' } } });
await dynamo.getItem.delete(input);
await dynamo.getItem(input);
console.log(`${requests} requests`);

// Output:
// Ada true 1 request
// 3 requests
