/** The examples of docs/writing-a-connector.md, as their author would test them. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
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
