// `npm run playground`: serves the page until it is stopped. PORT picks another port than 5173.
import { fileURLToPath } from 'node:url';
import { startPlayground } from './server.js';

const { url } = await startPlayground(
  fileURLToPath(new URL('.', import.meta.url)),
  Number(process.env['PORT'] ?? 5173),
);
console.log(`Playground: ${url}`);
