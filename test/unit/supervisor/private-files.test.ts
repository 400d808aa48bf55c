import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { closeToOthers } from '#troupe/supervisor/private-files.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';

test('a folder is closed where it is a store, and files that are not the node’s stay as they are', (t) => {
  if (process.platform === 'win32') return t.skip('there are no modes');
  const dir = temporaryFolder();
  t.after(() => {
    removeFolder(dir);
  });
  const log = join(dir, 'log');
  const [data, mark, notes] = ['data.mdb', 'format', 'notes.txt'].map((name) => join(log, name));
  assert.ok(data && mark && notes);
  mkdirSync(log);
  chmodSync(log, 0o755);
  writeFileSync(notes, 'of the user');
  chmodSync(notes, 0o644);
  assert.deepEqual(closeToOthers(dir, log), { closed: [], open: [] });
  writeFileSync(data, '');
  writeFileSync(mark, '1\n');
  for (const path of [data, mark]) chmodSync(path, 0o644);
  assert.deepEqual(new Set(closeToOthers(dir, log).closed), new Set([data, mark, log]));
  const modes = [log, data, mark, notes].map((path) => (statSync(path).mode & 0o777).toString(8));
  assert.deepEqual(modes, ['700', '600', '600', '644']);
});
