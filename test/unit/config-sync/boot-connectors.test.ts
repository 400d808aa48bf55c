import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBootConnectors } from '#troupe/actors/config-sync/boot-connectors.js';
import { folder, write } from '../plugins/packages.js';

test('a boot file whose connector has a name that REST would refuse is a problem', async (t) => {
  const dir = folder(t);
  for (const [file, name] of Object.entries({
    good: 'orders',
    reserved: 'stopAll',
    slash: 'a/b',
    empty: ' ',
  }))
    write(join(dir, `${file}.json`), JSON.stringify({ name, config: {} }));
  const { connectors, problems } = await readBootConnectors(dir, join(dir, 'store'));
  assert.deepEqual(
    connectors.map(({ name }) => name),
    ['orders'],
  );
  assert.deepEqual(problems, [
    { file: 'empty.json', reason: 'the connector name must not be empty' },
    { file: 'reserved.json', reason: 'the connector name is a reserved name' },
    { file: 'slash.json', reason: 'the connector name must not hold a slash' },
  ]);
});
