import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { parseProperties } from '#troupe/core/parameters/properties-file.js';
import { loadPlugin } from '#troupe/plugins/load.js';
import { readPackage } from '#troupe/plugins/manifest.js';

/** Compiled tests run in dist/test/unit/docs. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function documents(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  const pages = [...foldersIn('packages'), ...foldersIn('connectors')].map((folder) => `${folder}/README.md`);
  return [
    ...top,
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
    ...pages.filter((page) => existsSync(join(root, page))),
  ];
}

function foldersIn(path: string): string[] {
  return readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${path}/${name}`);
}

test('the generated pages are what the tables and the definitions say', () => {
  for (const script of [
    'generate-configuration',
    'generate-connectors',
    'generate-metrics',
    'generate-sdk-api',
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [`scripts/${script}.mjs`, '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }
});

test('the shipped conf/connect.conf is accepted, and so is every line that it shows as a default', () => {
  const shown = read('conf/connect.conf').replace(/^# ([\w.]+=)/gm, '$1');
  for (const text of [read('conf/connect.conf'), shown]) {
    const result = loadParameters({ argv: ['-c', 'x'], env: {}, cwd: root, readFile: () => text });
    assert.ok(result.ok, JSON.stringify(result));
  }
  const keys = parseProperties(shown).entries.map(({ key }) => key);
  assert.ok(keys.includes('store.max.bytes'), 'the commented lines were not read');
});

test('the shipped connectors read the shipped lines and write them elsewhere', () => {
  for (const file of readdirSync(join(root, 'conf/connectors'))) {
    const parsed: unknown = JSON.parse(read(`conf/connectors/${file}`));
    assert.ok(typeof parsed === 'object' && parsed !== null && 'name' in parsed && 'config' in parsed, file);
    assert.equal(`${String(parsed.name)}.json`, file);
  }
  const lines = read('conf/examples/orders.jsonl').trimEnd().split('\n');
  const orders = lines.map((line) => (JSON.parse(line) as { order?: unknown }).order);
  assert.equal(new Set(orders).size, lines.length);
});

test('links between the documents lead somewhere', () => {
  const broken: string[] = [];
  for (const document of documents()) {
    for (const [, link = ''] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link) || link.startsWith('#')) continue;
      const target = join(root, dirname(document), link.replace(/#.*$/, ''));
      if (!existsSync(target)) broken.push(`${document}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('every connector with a package of its own is built, and its page names each of its keys', async () => {
  const { references } = JSON.parse(read('connectors/tsconfig.json')) as { references: { path: string }[] };
  const folders = foldersIn('connectors');
  assert.deepEqual(references.map(({ path }) => join('connectors', path)).sort(), folders.sort());
  for (const folder of folders) {
    const found = readPackage(join(root, folder));
    assert.deepEqual(found?.problems, [], folder);
    for (const entry of found.plugins) {
      const page = read(`${folder}/README.md`);
      assert.ok(page.includes(entry.class), `${folder} names ${entry.class}`);
      for (const { name } of (await loadPlugin(entry)).plugin.config)
        assert.ok(page.includes(`\`${name}\``), `${folder}/README.md names ${name}`);
    }
  }
});

test('the SDK has the version of Troupe, and every connector takes it', () => {
  const manifest = (path: string): Manifest => JSON.parse(read(`${path}/package.json`)) as Manifest;
  const { version } = manifest('.');
  assert.equal(manifest('packages/sdk').version, version);
  for (const folder of foldersIn('connectors'))
    assert.equal(manifest(folder).dependencies?.['@troupe/sdk'], `^${version}`, folder);
});

test('every dependency has its line in docs/dependencies.md, and no other has', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const used = [
    ...Object.keys(manifest['dependencies'] ?? {}),
    ...Object.keys(manifest['devDependencies'] ?? {}),
  ];
  const described = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
    ([, name = '']) => name,
  );
  assert.deepEqual(described.sort(), used.sort());
});
