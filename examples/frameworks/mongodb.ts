// MongoDB: an ObjectId is a class instance, so `encode` says what it is. The collection is left out of the key.
import { ObjectId } from 'bson';
import { createMemoizer } from 'aiocachetools';

interface Post {
  readonly _id: ObjectId;
  readonly tags: readonly string[];
}

interface Posts {
  findOne(filter: { readonly _id: ObjectId }): Promise<Post | null>;
}

let queries = 0;

/** As the driver has it. */
const posts: Posts = {
  findOne: async ({ _id }) => {
    queries += 1;
    return { _id, tags: ['a'] };
  },
};

const memoize = createMemoizer({
  name: 'mongo',
  ttl: 60_000,
  encode: (value) => (value instanceof ObjectId ? ['ObjectId', value.toHexString()] : undefined),
});

const findPost = memoize((filter: { readonly _id: ObjectId }, collection: Posts) => collection.findOne(filter), {
  name: 'post',
  ignore: [1],
});

const hex = '507f1f77bcf86cd799439011';
await findPost({ _id: new ObjectId(hex) }, posts);
const post = await findPost({ _id: new ObjectId(hex) }, posts);
console.log(post?._id.toHexString(), post?.tags, `${queries} query`);

await findPost({ _id: new ObjectId('507f1f77bcf86cd799439012') }, posts);
console.log(`${queries} queries for two ids`);

// Output:
// 507f1f77bcf86cd799439011 [ 'a' ] 1 query
// 2 queries for two ids
