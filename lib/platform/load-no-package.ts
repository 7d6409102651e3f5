/**
 * Takes the place of `loadPackage` in bundles for browsers, by the `browser` field of package.json. A browser has no
 * `require`, and some engines cannot parse `import.meta`.
 */
export function loadPackage(_name: string): undefined {
  return undefined;
}
