/** @jest-config-loader esbuild-register */
import type { Config } from 'jest';

const settings = { useESM: true, tsconfig: '<rootDir>/tsconfig.jest.json' };
const tsJest: [string, Record<string, unknown>] = ['ts-jest', settings];

/** Packages without CommonJS, for bare `npx jest`. */
const modules = 'quick-lru|devalue|superjson|copy-anything|is-what';

const config: Config = {
  testEnvironment: 'node',
  // Five seconds are little on a machine that does something else.
  testTimeout: 30_000,
  // Jest would leave a core idle, which is half of a small machine.
  maxWorkers: '100%',
  roots: ['<rootDir>/lib', '<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^aiocachetools$': '<rootDir>/lib/index.ts',
    '^aiocachetools/redis$': '<rootDir>/lib/redis/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '/lib/platform/load-package\\.ts$': ['<rootDir>/.ci/jest-transform.cjs', settings],
    '^.+\\.ts$': tsJest,
    [`/node_modules/(${modules})/.+\\.js$`]: tsJest,
  },
  transformIgnorePatterns: [`/node_modules/(?!(${modules})/)`],
  reporters: ['default', '<rootDir>/__tests__/support/skipped-reporter.mjs'],
  collectCoverageFrom: ['lib/**/*.ts'],
  coverageThreshold: { global: { branches: 95, functions: 95, lines: 95, statements: 95 } },
};

export default config;
