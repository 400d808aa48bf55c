/** The example source of docs/writing-a-connector.md, as its author would test it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readPackage } from '#troupe/plugins/manifest.js';
import { loadPlugin } from '#troupe/plugins/load.js';
import { acceptSource, type SourceFixture } from '#troupe/sdk/testing/index.js';
import { removeFolder, temporaryFolder } from '../support/node-process.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A copy of it beside `troupe`, as `npm install` would link that. */
const dir = temporaryFolder();
after(() => {
  removeFolder(dir);
});
cpSync(join(root, 'conf/examples/http-feed'), join(dir, 'http-feed'), { recursive: true });
mkdirSync(join(dir, 'node_modules'));
symlinkSync(root, join(dir, 'node_modules/troupe'));
const [entry] = readPackage(join(dir, 'http-feed'))?.plugins ?? [];
assert.ok(entry, 'the manifest names no plugin');

async function setup(): Promise<SourceFixture> {
  const items: { id: number; text: string }[] = [];
  let away = false;
  const server = createServer((request, response) => {
    const past = Number(new URL(request.url ?? '/', 'http://feed').searchParams.get('after'));
    response.writeHead(away ? 503 : 200).end(JSON.stringify(items.filter(({ id }) => id > past)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    config: { url: `http://127.0.0.1:${port}/` },
    produce: (count) => {
      const made = Array.from({ length: count }, (_, i) => ({
        id: items.length + i + 1,
        text: `item ${items.length + i + 1}`,
      }));
      items.push(...made);
      return Promise.resolve(made);
    },
    interrupt: () => {
      away = true;
      return Promise.resolve(() => {
        away = false;
        return Promise.resolve();
      });
    },
    cleanup: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

acceptSource({
  name: 'http-feed',
  plugin: await loadPlugin(entry),
  setup,
  guarantee: 'exactly-once',
  parallel: true,
  wrongConfigs: [{ change: { url: 'nowhere' }, field: 'url' }],
});
