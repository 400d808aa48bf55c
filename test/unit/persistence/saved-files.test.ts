import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { StateFiles } from '#troupe/actors/persistence/files.js';
import { readSaved } from '#troupe/actors/persistence/saved-files.js';

const from = { life: 1, offset: 7 };
const FILES: readonly (readonly [name: string, content: object, cause: RegExp])[] = [
  [
    'connectorConfig.json',
    { from, connectors: { orders: { targetState: 'RUNNING', config: { 'tasks.max': 2 } } } },
    /tasks\.max is not a string/,
  ],
  ['taskConfig.json', { from: 'here', connectors: {} }, /"from" does not say/],
  ['position.json', { from, connectors: { orders: {} } }, /orders has no list/],
  ['offset.json', { from, connectors: { orders: null } }, /orders has no list/],
];

for (const [name, body, cause] of FILES)
  test(`a file that is JSON but cannot be used is set aside: ${name}`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'troupe-files-'));
    t.after(() => {
      rmSync(dir, { recursive: true });
    });
    const content = JSON.stringify({ formatVersion: 1, ...body });
    writeFileSync(join(dir, name), content);
    const files = new StateFiles(dir);
    const messages: string[] = [];
    const saved = await readSaved(files, (message) => messages.push(message));
    assert.deepEqual(saved, { connectors: null, positions: null, offsets: null });
    const [aside = '', ...others] = readdirSync(dir);
    assert.deepEqual(others, []);
    assert.ok(aside.startsWith(`${name}.broken-`), aside);
    assert.equal(readFileSync(join(dir, aside), 'utf8'), content);
    assert.match(messages.join(), cause);
    assert.ok(messages.join().includes(aside));
    for (const file of ['connectors', 'tasks', 'positions', 'offsets'] as const)
      assert.equal(files.found(file), false);
  });
