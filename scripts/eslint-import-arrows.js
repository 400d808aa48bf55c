/**
 * Lint rule: who may import whom (CONTRIBUTING.md, "The arrows"). The first zone whose folder holds the file
 * decides. Tests, benchmarks and scripts are in no zone and may import anything.
 */
import { isBuiltin } from 'node:module';
import { posix, relative, sep } from 'node:path';

const PROTOCOLS = ['src/actors/*/protocol.ts', 'src/actors/*/params.ts', 'src/log/*/protocol.ts'];
/** `src/actors/*` are the helpers that actors share. */
const ACTOR = ['src/actors/kernel/', 'src/actors/*', 'src/log/*', 'src/core/', 'src/sdk/'];
const IO = [
  'fs',
  'fs/promises',
  'net',
  'tls',
  'http',
  'https',
  'dgram',
  'child_process',
  'worker_threads',
  'timers',
  'timers/promises',
];

/**
 * `to`: files it may import, besides those of its own folder; `*` stands for one name, a trailing slash for
 * everything below. `types`: only by `import type`. `packages`: from npm; other zones may import any.
 * `noBuiltins`: modules of Node that it may not import.
 * @type {readonly {folder: string, to: readonly string[], types?: readonly string[], packages?: readonly string[], noBuiltins?: readonly string[]}[]}
 */
export const ZONES = [
  { folder: 'src/sdk/', to: [], packages: [] },
  { folder: 'src/connectors/*/', to: ['src/sdk/'] },
  { folder: 'src/converters/', to: ['src/sdk/'], packages: [] },
  { folder: 'src/transforms/', to: ['src/sdk/'], packages: [] },
  // Finds plugins on the disk; the rest of core is pure.
  { folder: 'src/core/plugins/', to: ['src/core/', 'src/sdk/'] },
  {
    folder: 'src/core/',
    to: ['src/core/plugins/', 'src/sdk/'],
    packages: ['fastest-levenshtein', 'lru-cache'],
    noBuiltins: IO,
  },
  // The client of the log actor sees how an ask fails.
  {
    folder: 'src/log/embedded/',
    to: ['src/log/*', 'src/core/', 'src/actors/kernel/errors.ts'],
    types: PROTOCOLS,
    packages: ['lmdb', 'lru-cache'],
  },
  {
    folder: 'src/log/rocketmq/',
    to: ['src/log/*', 'src/core/'],
    types: PROTOCOLS,
  },
  // The port, its codec, and the factory that chooses the adapter.
  {
    folder: 'src/log/',
    to: [
      'src/log/*/client.ts',
      'src/log/rocketmq/grpc/publisher-while-up.ts',
      'src/log/rocketmq/grpc/shared-consumer.ts',
      'src/core/',
      'src/sdk/',
    ],
    types: [...PROTOCOLS, 'src/log/*/settings.ts'],
    packages: [],
  },
  { folder: 'src/actors/kernel/', to: ['src/core/', 'src/sdk/'], packages: ['pino', 'pino-pretty'] },
  { folder: 'src/actors/log/', to: [...ACTOR, 'src/log/embedded/'], types: PROTOCOLS, packages: [] },
  { folder: 'src/actors/http/', to: [...ACTOR, 'src/http/'], types: PROTOCOLS, packages: [] },
  { folder: 'src/actors/*/', to: ACTOR, types: PROTOCOLS, packages: ['lru-cache', 'piscina'] },
  { folder: 'src/actors/', to: ACTOR, types: PROTOCOLS, packages: [] },
  {
    folder: 'src/http/',
    to: ['src/actors/kernel/tree-text.ts', 'src/core/', 'src/sdk/'],
    types: PROTOCOLS,
  },
  {
    folder: 'src/supervisor/',
    to: ['src/actors/kernel/', 'src/core/', 'src/sdk/'],
    types: [...PROTOCOLS, 'src/log/*'],
    packages: [],
  },
  { folder: 'src/', to: ['src/supervisor/', 'src/actors/kernel/', 'src/core/', 'src/sdk/'], packages: [] },
];

/** `*` is one path segment; a pattern that ends in a slash holds everything below. */
function matches(pattern, path) {
  const source = pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]+');
  return new RegExp(pattern.endsWith('/') ? `^${source}` : `^${source}$`).test(path);
}

function folderOf(zone, path) {
  const depth = zone.folder.split('/').length - 1;
  return `${path.split('/').slice(0, depth).join('/')}/`;
}

/**
 * What is wrong with one import, or null.
 * @param {string} file path from the root of the repository, with slashes
 * @param {string} source as written in the import
 * @param {boolean} typeOnly
 * @returns {string | null}
 */
export function importProblem(file, source, typeOnly) {
  const zone = ZONES.find(({ folder }) => matches(folder, file));
  if (zone === undefined) return null;
  if (isBuiltin(source)) {
    const name = source.replace(/^node:/, '');
    return zone.noBuiltins?.includes(name) ? `${zone.folder} is pure: no ${source}` : null;
  }
  if (!source.startsWith('.')) {
    const name = source.split('/', source.startsWith('@') ? 2 : 1).join('/');
    return zone.packages === undefined || zone.packages.includes(name)
      ? null
      : `${zone.folder} may not import the package ${name}`;
  }
  const target = posix.join(posix.dirname(file), source).replace(/\.js$/, '.ts');
  if (target.startsWith(folderOf(zone, file)) && zone === ZONES.find(({ folder }) => matches(folder, target)))
    return null;
  if (zone.to.some((pattern) => matches(pattern, target))) return null;
  if (zone.types?.some((pattern) => matches(pattern, target))) {
    return typeOnly ? null : `${zone.folder} may import ${target} only as types`;
  }
  return `${zone.folder} may not import ${target}`;
}

/** @type {import('eslint').Rule.RuleModule} */
export const rule = {
  meta: {
    type: 'problem',
    docs: { description: 'holds the direction of imports between folders' },
    schema: [
      {
        type: 'object',
        properties: { root: { type: 'string' } },
        required: ['root'],
        additionalProperties: false,
      },
    ],
    messages: { arrow: 'Against the arrows: {{problem}}.' },
  },
  create(context) {
    const file = relative(context.options[0].root, context.filename).split(sep).join('/');
    const check = (node, typeOnly) => {
      if (node?.type !== 'Literal' || typeof node.value !== 'string') return;
      const problem = importProblem(file, node.value, typeOnly);
      if (problem !== null) context.report({ node, messageId: 'arrow', data: { problem } });
    };
    const onlyTypes = (node, kind) =>
      node[kind] === 'type' ||
      (node.specifiers?.length > 0 && node.specifiers.every((specifier) => specifier[kind] === 'type'));
    return {
      ImportDeclaration: (node) => check(node.source, onlyTypes(node, 'importKind')),
      ExportNamedDeclaration: (node) => check(node.source, onlyTypes(node, 'exportKind')),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node.source, false),
      TSImportType: (node) => check(node.source ?? node.argument?.literal, true),
    };
  },
};
