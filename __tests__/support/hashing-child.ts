import { createKeyBuilder } from './create-key-builder.js';
import { argumentLists, nodeArgumentLists } from './hashing-values.js';

/** Run in a process of its own: prints the key of every list by its name. */
const keyFor = createKeyBuilder({ name: 'f' });
const lists = Object.entries({ ...argumentLists, ...nodeArgumentLists });
console.log(JSON.stringify(Object.fromEntries(lists.map(([name, list]) => [name, keyFor(undefined, list())]))));
