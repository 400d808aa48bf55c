/** The examples of docs/writing-a-connector.md, as their author would test them. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPlugin } from '#troupe/plugins/load.js';
import { readPackage } from '#troupe/plugins/manifest.js';
import { removeFolder, temporaryFolder } from './node-process.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Loads a copy of it beside `troupe`, as `npm install` would link that. */
export async function loadExample(name: string): ReturnType<typeof loadPlugin> {
  const dir = temporaryFolder();
  after(() => {
    removeFolder(dir);
  });
  cpSync(join(root, 'conf/examples', name), join(dir, name), { recursive: true });
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(root, join(dir, 'node_modules/troupe'));
  const [entry] = readPackage(join(dir, name))?.plugins ?? [];
  assert.ok(entry, 'the manifest names no plugin');
  return loadPlugin(entry);
}

/** A server for the time of one fixture, which answers 503 while it is interrupted. */
export async function serve(answer: RequestListener): Promise<{
  readonly config: { readonly url: string };
  readonly interrupt: () => Promise<() => Promise<void>>;
  readonly cleanup: () => Promise<void>;
}> {
  let away = false;
  const server = createServer((request, response) => {
    if (away) request.resume().on('end', () => response.writeHead(503).end());
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    config: { url: `http://127.0.0.1:${port}/` },
    interrupt: async () => {
      away = true;
      return async () => {
        away = false;
      };
    },
    cleanup: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
