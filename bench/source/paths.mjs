import { fileURLToPath } from 'node:url';

const at = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** The package of the benchmark. */
export const benchFolder = at('../');

/** The library under test. */
export const rootFolder = at('../../');

export const librarySources = at('../../lib/');

/** Where the sources of the library lie compiled, file by file, as they are published. */
export const compiledFolder = at('../dist/lib/');

export const resultsFolder = at('../results/');

export const compiledLibrary = (file) => `${compiledFolder}${file}`;
