// One SQL query with IN for what concurrent calls ask for, and none for what is known. The database is SQLite.
import { readFile } from 'node:fs/promises';
import KeyvSqlite from '@keyv/sqlite';
import { batched, memoizeAsync } from 'aiocachetools';
import type { Element } from './support/upstream.js';

// Its connection is all that is wanted of it here.
const database = new KeyvSqlite('sqlite://:memory:');

async function query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
  if (sql.startsWith('SELECT')) console.log(`  ${sql} -- ${parameters.join(', ')}`);
  return (await database.query(sql, ...parameters)) as Row[];
}

await query('CREATE TABLE elements (symbol TEXT PRIMARY KEY, number INTEGER, name TEXT, weight REAL)');
const file = await readFile(new URL('data/elements.json', import.meta.url), 'utf8');
for (const { symbol, number, name, weight } of JSON.parse(file) as Element[]) {
  await query('INSERT INTO elements VALUES (?, ?, ?, ?)', [symbol, number, name, weight]);
}

/** A database answers in any order and leaves out what it does not have, so a Map fits. */
async function loadElements(symbols: readonly string[]): Promise<Map<string, Element>> {
  const places = symbols.map(() => '?').join(', ');
  const rows = await query<Element>(`SELECT * FROM elements WHERE symbol IN (${places})`, symbols);
  return new Map(rows.map((row) => [row.symbol, row]));
}

// SQLite takes 32,766 parameters, many servers fewer.
const getElement = memoizeAsync(batched(loadElements, { maxSize: 1_000 }), { name: 'getElement', ttl: 60_000 });

async function names(...symbols: string[]): Promise<void> {
  const elements = await Promise.all(symbols.map((symbol) => getElement(symbol)));
  console.log(elements.map((element) => element?.name));
}

try {
  await names('Fe', 'Ag', 'Fe', 'Au');
  await names('Ag', 'Hg', 'Au', 'Xx');
  // That there is no Xx is known too.
  await names('Xx', 'Hg');
  const { hits, joins, misses } = getElement.stats();
  console.log(`${hits} hits, ${joins} joins, ${misses} misses`);
} finally {
  await database.disconnect();
}

// Output:
//   SELECT * FROM elements WHERE symbol IN (?, ?, ?) -- Fe, Ag, Au
// [ 'Iron', 'Silver', 'Iron', 'Gold' ]
//   SELECT * FROM elements WHERE symbol IN (?, ?) -- Hg, Xx
// [ 'Silver', 'Mercury', 'Gold', undefined ]
// [ undefined, 'Mercury' ]
// 4 hits, 1 joins, 5 misses
