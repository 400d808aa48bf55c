/**
 * Lint rule: who may import whom (CONTRIBUTING.md, "The arrows"). The first zone whose folder holds the file
 * decides. Tests of src, benchmarks and scripts are in no zone and may import anything.
 */
import { isBuiltin } from 'node:module';
import { posix, relative, sep } from 'node:path';

const PROTOCOLS = ['src/actors/*/protocol.ts', 'src/actors/*/params.ts', 'src/http/actor/protocol.ts'];
/** Where an actor gets its log from, whichever it is. */
const OPEN_LOG = ['src/actors/log/open.ts', 'src/actors/log/open-grpc.ts'];
/** `src/actors/*` are the helpers that actors share. */
const ACTOR = ['src/actors/kernel/', 'src/actors/*', ...OPEN_LOG, 'src/log/*', 'src/core/', 'src/sdk/'];
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
  // Packages of their own, tests included: what is not theirs they name as an outsider would.
  { folder: 'connectors/*/', to: [] },
  { folder: 'packages/*/', to: [] },
  { folder: 'src/converters/', to: ['src/sdk/'], packages: [] },
  { folder: 'src/transforms/', to: ['src/sdk/'], packages: ['@marcbachmann/cel-js'] },
  // The rooms of core: each sees those before it, so that no circle can arise.
  ...coreRooms(['parameters', 'replica', 'progress', 'cluster', 'connectors']),
  {
    folder: 'src/core/',
    to: ['src/sdk/'],
    packages: [],
    noBuiltins: IO,
  },
  // Finds and loads code on the disk, so it is no part of core.
  {
    folder: 'src/plugins/',
    to: ['src/core/', 'src/sdk/'],
    packages: ['fastest-levenshtein', 'lru-cache'],
  },
  { folder: 'src/log/embedded/', to: ['src/log/*', 'src/core/'], packages: ['lmdb', 'lru-cache'] },
  { folder: 'src/log/rocketmq/', to: ['src/log/*', 'src/core/'] },
  // The port and the codec of batches.
  { folder: 'src/log/', to: ['src/core/', 'src/sdk/'], packages: [] },
  { folder: 'src/actors/kernel/', to: ['src/core/', 'src/sdk/'], packages: ['pino', 'pino-pretty'] },
  // The owner of the store, and the one place that chooses the adapter.
  {
    folder: 'src/actors/log/',
    to: [
      ...ACTOR,
      'src/log/embedded/',
      'src/log/rocketmq/client.ts',
      'src/log/rocketmq/grpc/publisher-while-up.ts',
      'src/log/rocketmq/grpc/shared-consumer.ts',
    ],
    types: [...PROTOCOLS, 'src/log/rocketmq/settings.ts'],
    packages: [],
  },
  {
    folder: 'src/actors/*/',
    to: [...ACTOR, 'src/plugins/'],
    types: PROTOCOLS,
    packages: ['lru-cache', 'piscina'],
  },
  { folder: 'src/actors/', to: [...ACTOR, 'src/plugins/'], types: PROTOCOLS, packages: [] },
  {
    folder: 'src/http/actor/',
    to: ['src/http/', 'src/actors/kernel/', 'src/actors/*', 'src/core/', 'src/plugins/', 'src/sdk/'],
    types: PROTOCOLS,
    packages: [],
  },
  {
    folder: 'src/http/',
    to: ['src/core/', 'src/plugins/', 'src/sdk/'],
    types: PROTOCOLS,
  },
  {
    folder: 'src/supervisor/',
    to: ['src/actors/kernel/', 'src/core/', 'src/sdk/'],
    types: [...PROTOCOLS, ...OPEN_LOG],
    packages: [],
  },
  {
    folder: 'src/',
    to: ['src/supervisor/', 'src/http/tree-text.ts', 'src/actors/kernel/', 'src/core/', 'src/sdk/'],
    packages: [],
  },
];

/**
 * @param {readonly string[]} rooms folders of src/core, the lowest first
 */
function coreRooms(rooms) {
  return rooms.map((room, index) => ({
    folder: `src/core/${room}/`,
    to: ['src/core/*', ...rooms.slice(0, index).map((lower) => `src/core/${lower}/`), 'src/sdk/'],
    packages: ['fastest-levenshtein'],
    noBuiltins: IO,
  }));
}

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
