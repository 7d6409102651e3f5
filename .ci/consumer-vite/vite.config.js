// With INLINE the package is compiled with the project, as a linked one is.
const inline = process.env.INLINE ? true : undefined;

export default {
  ssr: { noExternal: inline },
  test: { server: { deps: { inline } }, include: ['*.test.js'] },
};
