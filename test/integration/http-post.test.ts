/** The example connector of docs/writing-a-connector.md, as its author would test it. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readPackage } from '#troupe/plugins/manifest.js';
import { loadPlugin } from '#troupe/plugins/load.js';
import { acceptSink, type SinkFixture } from '#troupe/sdk/testing/index.js';
import { removeFolder, temporaryFolder } from '../support/node-process.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A copy of it beside `troupe`, as `npm install` would link that. */
const dir = temporaryFolder();
after(() => {
  removeFolder(dir);
});
cpSync(join(root, 'conf/examples/http-post'), join(dir, 'http-post'), { recursive: true });
mkdirSync(join(dir, 'node_modules'));
symlinkSync(root, join(dir, 'node_modules/troupe'));
const [entry] = readPackage(join(dir, 'http-post'))?.plugins ?? [];
assert.ok(entry, 'the manifest names no plugin');

async function setup(): Promise<SinkFixture> {
  const posted: string[] = [];
  let away = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (!away) posted.push(Buffer.concat(chunks).toString());
      response.writeHead(away ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    config: { url: `http://127.0.0.1:${port}/` },
    read: () => Promise.resolve(posted),
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

acceptSink({
  name: 'http-post',
  plugin: await loadPlugin(entry),
  setup,
  wrongConfigs: [{ change: { url: 'nowhere' }, field: 'url' }],
});
