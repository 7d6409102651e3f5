import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

/** Paths below lib/ and what stands in these files. */
export type Sources = ReadonlyMap<string, string>;

/** A law of the architecture: what breaks it, one line each. */
export type Law = (sources: Sources) => string[];

interface Import {
  readonly from: string;
  /** A path below lib/, or the name of a package as written. */
  readonly to: string;
  readonly isRelative: boolean;
  readonly isType: boolean;
  /** By `loadPackage`, when it is needed. */
  readonly isLoaded: boolean;
}

/** Files that know nothing of the house and that every room may use. */
const leaves = ['errors.ts', 'platform/'];

/** What a room may import beside its own files and the leaves. Where it says `types`, nothing of it may run. */
const rooms: Readonly<Record<string, { readonly values?: readonly string[]; readonly types?: readonly string[] }>> = {
  'hashing/': {},
  'in-flight/': { types: ['store/'] },
  'store/': { values: ['hashing/digest.ts'] },
  'redis/': { values: ['store/', 'hashing/bytes.ts', 'hashing/digest.ts'] },
};

/** Packages that are known in one place only. */
const homes: Readonly<Record<string, string>> = { 'object-hash': 'hashing/digest.ts', debug: 'debug-log.ts' };

/** What may be called while a module loads: it computes a constant from constants. */
const pureCalls = [
  'Object.create',
  'Symbol',
  'createDigest',
  'createPackageLoader',
  'createChannelOpener',
  'fractionsOfRoots',
  'getPrototypeOf',
  'methodOf',
  'script',
];
const pureConstructors = ['Map', 'Set', 'WeakMap', 'Uint8Array', 'Uint16Array'];

export const noCycles: Law = (sources) => {
  const graph = new Map([...sources.keys()].map((file) => [file, [] as string[]]));
  for (const { from, to, isRelative } of importsOf(sources)) {
    if (isRelative) graph.get(from)?.push(to);
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) cycles.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
};

export const nobodyImportsIndex: Law = (sources) =>
  importsOf(sources)
    .filter(({ to, isRelative }) => isRelative && posix.basename(to) === 'index.ts')
    .map(({ from, to }) => `${from} imports ${to}`);

export const roomsKnowTheirPlace: Law = (sources) =>
  importsOf(sources)
    .filter(({ from, to, isRelative, isType }) => isRelative && !mayImport(from, to, isType))
    .map(({ from, to, isType }) => `${from} imports ${isType ? 'types of ' : ''}${to}`);

function mayImport(from: string, to: string, isType: boolean): boolean {
  if (isLeaf(to)) return true;
  if (isLeaf(from)) return false;
  const room = Object.keys(rooms).find((prefix) => from.startsWith(prefix));
  if (room === undefined) return true;
  const { values = [], types = [] } = rooms[room]!;
  return [room, ...values, ...(isType ? types : [])].some((prefix) => to.startsWith(prefix));
}

function isLeaf(file: string): boolean {
  return leaves.some((leaf) => file === leaf || (leaf.endsWith('/') && file.startsWith(leaf)));
}

/** The core runs where there is no Node, and `redisStore` with a client that speaks HTTP. */
export const noBuiltIns: Law = (sources) =>
  importsOf(sources)
    .filter(({ to }) => builtinModules.includes(to.replace(/^node:/, '')))
    .map(({ from, to }) => `${from} imports ${to}`);

export const packagesHaveHomes =
  (dependencies: readonly string[]): Law =>
  (sources) =>
    importsOf(sources)
      .filter(({ to, isRelative }) => !isRelative && !builtinModules.includes(to.replace(/^node:/, '')))
      .filter(({ from, to }) => !dependencies.includes(to) || (to in homes && homes[to] !== from))
      .map(({ from, to }) => `${from} imports ${to}`);

/** CommonJS that requires modules of Node: an import would keep a bundle of ES modules from starting. */
const loadedLazily = ['debug', 'object-hash'];

export const packagesAreLoadedLazily: Law = (sources) =>
  importsOf(sources)
    .filter(({ to, isLoaded }) => loadedLazily.includes(to) && !isLoaded)
    .map(({ from, to }) => `${from} imports ${to}`);

/** Who awaits the namespace of such a module calls the export: bundlers and test runners await modules. */
export const noModuleIsThenable: Law = (sources) =>
  [...exportedNames(sources)].filter(([, names]) => names.includes('then')).map(([file]) => `${file} exports then`);

function exportedNames(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const program = compile(new Map([...sources].map(([file, source]) => [pathOf(file), source])));
  const checker = program.getTypeChecker();
  return new Map(
    [...sources.keys()].map((file) => {
      const symbol = checker.getSymbolAtLocation(program.getSourceFile(pathOf(file))!);
      return [file, symbol === undefined ? [] : checker.getExportsOfModule(symbol).map(({ name }) => name)];
    }),
  );
}

export const nothingRunsAtImport: Law = (sources) => {
  const broken: string[] = [];
  for (const [file, source] of parse(sources)) {
    for (const statement of source.statements) {
      const isDeclaration =
        ts.isImportDeclaration(statement) ||
        ts.isExportDeclaration(statement) ||
        ts.isInterfaceDeclaration(statement) ||
        ts.isTypeAliasDeclaration(statement) ||
        ts.isFunctionDeclaration(statement) ||
        ts.isClassDeclaration(statement) ||
        ts.isVariableStatement(statement);
      if (!isDeclaration) broken.push(`${file} runs \`${lineOf(statement)}\``);
      else forEachRunning(statement, (node) => broken.push(`${file} runs \`${lineOf(node)}\``));
    }
  }
  return broken;
};

/** Visits the calls that happen while the module loads: those outside of functions, and not the pure ones. */
function forEachRunning(node: ts.Node, visit: (node: ts.Node) => void): void {
  if (ts.isFunctionLike(node) || (ts.isPropertyDeclaration(node) && !isStatic(node))) return;
  if (ts.isCallExpression(node) && !pureCalls.includes(node.expression.getText())) visit(node);
  if (ts.isNewExpression(node) && !pureConstructors.includes(node.expression.getText())) visit(node);
  if (ts.isTaggedTemplateExpression(node) || ts.isAwaitExpression(node)) visit(node);
  if (ts.isClassStaticBlockDeclaration(node)) visit(node);
  ts.forEachChild(node, (child) => forEachRunning(child, visit));
}

/**
 * Constants that nothing can write to: the compiler is asked, by a line put below each file. Functions and WeakMaps pass;
 * what is read from the platform (`const { hasOwn } = Object`) is no state of ours.
 */
export const noModuleState: Law = (sources) => {
  const broken: string[] = [];
  const questions = new Map<string, string[]>();
  for (const [file, source] of parse(sources)) {
    const names: string[] = [];
    for (const statement of source.statements) {
      if (ts.isVariableStatement(statement)) {
        const isConst = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
        const declarations = statement.declarationList.declarations.filter(
          ({ initializer }) => !isPlatform(initializer),
        );
        const declared = declarations.flatMap(({ name }) => namesIn(name));
        if (isConst) names.push(...declared);
        else broken.push(...declared.map((name) => `${file} keeps state in ${name}`));
      } else if (ts.isClassDeclaration(statement)) {
        for (const member of statement.members) {
          if (!ts.isPropertyDeclaration(member) || !isStatic(member)) continue;
          const isReadonly = member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ReadonlyKeyword) === true;
          const name = `${statement.name?.text}.${member.name.getText()}`;
          if (!isReadonly) broken.push(`${file} keeps state in ${name}`);
          else if (!ts.isPrivateIdentifier(member.name)) names.push(name);
        }
      }
    }
    questions.set(file, names);
  }
  return [...broken, ...writable(sources, questions)];
};

/** Asked in place of the type itself, because a property may hold a union. */
const frozen = `
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Loose<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends (...args: never) => unknown ? never
    : Same<{ [P in K]: T[P] }, { -readonly [P in K]: T[P] }> extends true ? K
    : [Frozen<T[K]>] extends [true] ? never : K;
}[keyof T];
type Frozen<T> = 0 extends 1 & T ? false
  : T extends string | number | bigint | boolean | symbol | undefined | null ? true
  : T extends any[] | Set<any> | Map<any, any> ? false
  : T extends WeakMap<any, any> | ((...args: never) => unknown) | RegExp ? true
  : T extends readonly unknown[] | ReadonlySet<unknown> | ReadonlyMap<unknown, unknown> ? true
  : [Loose<T>] extends [never] ? true : false;
`;

function writable(sources: Sources, questions: ReadonlyMap<string, readonly string[]>): string[] {
  const asked = new Map([[pathOf('frozen.d.ts'), frozen]]);
  for (const [file, source] of sources) {
    const names = questions.get(file) ?? [];
    const lines = names.map((name, index) => `const frozen${index}: Frozen<typeof ${name}> = true;`);
    asked.set(pathOf(file), [source, ...lines].join('\n'));
  }
  const program = compile(asked);
  return [...questions].flatMap(([file, names]) => {
    const source = program.getSourceFile(pathOf(file))!;
    const firstQuestion = sources.get(file)!.split('\n').length;
    return program
      .getSemanticDiagnostics(source)
      .map(({ start = 0 }) => source.getLineAndCharacterOfPosition(start).line - firstQuestion)
      .filter((index) => index >= 0)
      .map((index) => `${file} keeps state in ${names[index]}`);
  });
}

function pathOf(file: string): string {
  return posix.join(process.cwd(), 'lib', file);
}

/** The compiler's own declarations, which every program reads. */
const declarations = new Map<string, ts.SourceFile | undefined>();

/** A program over sources in memory; only the compiler's own files and packages are read from the disk. */
function compile(sources: Sources): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    directoryExists: () => true,
    fileExists: (file) => sources.has(file) || disk.fileExists(file),
    readFile: (file) => sources.get(file) ?? disk.readFile(file),
    getSourceFile: (file, version) => {
      const text = sources.get(file);
      if (text !== undefined) return ts.createSourceFile(file, text, version, true);
      if (!declarations.has(file)) declarations.set(file, disk.getSourceFile(file, version));
      return declarations.get(file);
    },
  };
  return ts.createProgram([...sources.keys()], options, host);
}

function isPlatform(initializer: ts.Expression | undefined): boolean {
  return /^(?:Object|Array|Promise|Reflect)(?:\.\w+)*$/.test(initializer?.getText() ?? '');
}

/** Only one place arms timers: there they keep no process alive and may be longer than 2^31 ms. */
export const timersHaveOneHome: Law = (sources) =>
  identifiers(sources, ['setTimeout', 'setInterval', 'setImmediate']).filter(
    (line) => !line.startsWith('platform/timer.ts '),
  );

/** What an entry is worth follows from the entry, the time and the options alone. */
export const timeDecisionsArePure: Law = (sources) =>
  identifiers(sources, ['Date', 'performance', 'Math']).filter((line) =>
    /^store\/(?:entry|freshness)\.ts .*(?:Date|performance)$/.test(line),
  );

function identifiers(sources: Sources, wanted: readonly string[]): string[] {
  const found: string[] = [];
  for (const [file, source] of parse(sources)) {
    const visit = (node: ts.Node): void => {
      if (ts.isTypeNode(node)) return;
      if (ts.isIdentifier(node) && wanted.includes(node.text)) found.push(`${file} uses ${node.text}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** `index.ts` lists names; nothing is exported by default; a file is called after what it is about. */
export const filesAreNamed: Law = (sources) => {
  const broken: string[] = [];
  for (const [file, source] of parse(sources)) {
    const name = posix.basename(file, '.ts');
    if (!/^[a-z][a-z\d]*(?:-[a-z\d]+)*$/.test(name) || /^(?:utils?|types?|helpers?|common|misc)$/.test(name)) {
      broken.push(`${file} is called ${name}`);
    }
    for (const statement of source.statements) {
      if (ts.isExportAssignment(statement)) broken.push(`${file} has a default export`);
      if (name === 'index' && !ts.isExportDeclaration(statement)) broken.push(`${file} holds \`${lineOf(statement)}\``);
    }
  }
  return broken;
};

function importsOf(sources: Sources): Import[] {
  const imports: Import[] = [];
  for (const [from, source] of parse(sources)) {
    const add = (specifier: ts.Node | undefined, isType: boolean, isLoaded = false): void => {
      if (specifier === undefined) return;
      // A name that is only known at run time would get past every law.
      const path = ts.isStringLiteralLike(specifier) ? specifier.text : `(${specifier.getText()})`;
      const isRelative = path.startsWith('.');
      const to = isRelative ? posix.join(posix.dirname(from), path).replace(/\.js$/, '.ts') : path;
      imports.push({ from, to, isRelative, isType, isLoaded });
    };
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node)) {
        add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
      } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
      else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
      else if (ts.isExternalModuleReference(node)) add(node.expression, false);
      else if (ts.isCallExpression(node)) {
        const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
        const callee = node.expression.getText();
        if (isImport || ['require', 'process.getBuiltinModule'].includes(callee)) add(node.arguments[0], false);
        else if (callee === 'loadPackage') add(node.arguments[0], false, true);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return imports;
}

const parsed = new WeakMap<Sources, [file: string, source: ts.SourceFile][]>();

function parse(sources: Sources): readonly [file: string, source: ts.SourceFile][] {
  let files = parsed.get(sources);
  if (files === undefined) {
    files = [...sources].map(([file, text]) => [file, ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)]);
    parsed.set(sources, files);
  }
  return files;
}

function namesIn(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : namesIn(element.name)));
}

function isStatic(member: ts.ClassElement): boolean {
  return (
    ts.canHaveModifiers(member) &&
    ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword) === true
  );
}

function lineOf(node: ts.Node): string {
  return node.getText().split('\n')[0]!;
}
