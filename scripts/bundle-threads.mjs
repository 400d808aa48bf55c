/**
 * Puts all that a kind of thread loads into one file, dist/threads/<name>.cjs: the hundred and more small modules of a
 * task would cost each of its threads 5 MB and 70 ms. From dist, so tsc must have run.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { builtinPlugins } from '../dist/plugins/builtin.js';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

/** In the one file, each module goes on finding what lies beside its own, and loads others by what thread-file.cts gives it. */
const moduleUrls = {
  name: 'module-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!path.startsWith(dist)) return null;
      const text = await readFile(path, 'utf8');
      if (!text.includes('import.meta.url') && !text.includes('import(')) return null;
      const own = JSON.stringify(relative(dist, path).split(sep).join('/'));
      const contents = text
        .replaceAll('import.meta.url', `urlInDist(${own})`)
        .replaceAll(/\bimport\((?!['"](?!node:))/g, 'importModule(');
      return { contents, loader: 'js' };
    });
  },
};

/** Few tasks use these, and what they load is large: they are read from their own files, as other plugins are. */
const APART = ['transforms/dedupe.js', 'transforms/filter.js', 'transforms/router.js'];

/** The plugins that come with Troupe, found by their URLs without looking for files. */
const builtinModules = {
  name: 'builtin-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^builtin-modules$/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, () => {
      const urls = new Set(builtinPlugins().map(({ module }) => module));
      const paths = [...urls].map((url) => relative(dist, fileURLToPath(url)).split(sep).join('/'));
      const missing = APART.filter((path) => !paths.includes(path));
      if (missing.length > 0) throw new Error(`no plugin is in ${missing.join(', ')}`);
      const modules = paths
        .filter((path) => !APART.includes(path))
        .map((path) => `[urlInDist('${path}')]: () => import('./${path}'),`);
      const contents = `import { provideModules } from './plugins/load.js';\nprovideModules({ ${modules.join('\n')} });`;
      return { contents, resolveDir: dist };
    });
  },
};

/** Of a node whose log is the embedded one: what the other needs would be a third of the file. */
const withoutRocketMq = {
  name: 'without-rocketmq',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/rocketmq\/client\.js$|\/open-grpc\.js$/ }, ({ path }) => ({
      path,
      namespace: 'left-out',
    }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not in this file: it is for the embedded log`)});`,
    }));
  },
};

/** Which of them a task gets: src/actors/rebalancer/task-spec.ts. */
const bundles = { 'task-embedded': [withoutRocketMq], 'task-rocketmq': [] };

for (const [name, plugins] of Object.entries(bundles)) {
  const outfile = `${dist}threads/${name}.cjs`;
  await build({
    stdin: {
      contents: `import 'builtin-modules';\nexport { run } from './actors/task/thread.js';`,
      resolveDir: dist,
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Names stay, for those who read a stack.
    minifyWhitespace: true,
    minifySyntax: true,
    // Native code, and what only some threads need.
    external: [
      '@grpc/grpc-js',
      '@node-rs/crc32',
      'google-protobuf',
      'lmdb',
      'pino',
      'pino-pretty',
      'protobufjs',
      'rocketmq-client-nodejs',
    ],
    plugins: [moduleUrls, builtinModules, ...plugins],
    banner: {
      js: `const urlInDist = (path) => new URL('../' + path, require('node:url').pathToFileURL(__filename)).href;`,
    },
    logLevel: 'warning',
  });
  // esbuild leaves those in regular expressions as they are.
  const text = (await readFile(outfile, 'utf8')).replace(/[^\0-\x7f]/g, escaped);
  await writeFile(outfile, text);
  if (text.includes('cel-js')) throw new Error(`${outfile} holds the expression language: see APART`);
  if (/\bimport\(/.test(text))
    throw new Error(`${outfile} imports by itself, and would not when it was compiled before`);
}

function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
