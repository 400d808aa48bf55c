import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
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
  const { connectors, problems } = await readBootConnectors(dir, join(dir, '.store'));
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

test('one entry that cannot be read stops no other, and is named', async (t) => {
  const dir = folder(t);
  write(join(dir, 'good.json'), '{"name":"good","config":{}}');
  symlinkSync('/nonexistent', join(dir, 'old.json'));
  mkdirSync(join(dir, 'folder.json'));
  write(join(dir, 'broken.json'), '{"name":"broken",');
  write(join(dir, 'notes.txt'), 'read me');
  write(join(dir, '.hidden.json'), 'of an editor');
  const { connectors, problems } = await readBootConnectors(dir, join(dir, '.store'));
  assert.deepEqual(
    connectors.map(({ name }) => name),
    ['good'],
  );
  const reasons = new Map(problems.map(({ file, reason }) => [file, reason]));
  assert.deepEqual([...reasons.keys()].sort(), ['broken.json', 'folder.json', 'notes.txt', 'old.json']);
  assert.match(reasons.get('old.json') ?? '', /ENOENT/);
  assert.match(reasons.get('folder.json') ?? '', /no file/);
  assert.match(reasons.get('broken.json') ?? '', /line 1, column \d+/);
  assert.match(reasons.get('notes.txt') ?? '', /\.json or \.properties/);
});

test('a folder that is not there is said', async (t) => {
  const dir = join(folder(t), 'none');
  const { connectors, problems } = await readBootConnectors(dir, dir);
  assert.deepEqual(connectors, []);
  assert.match(problems[0]?.reason ?? '', /connectorsDir cannot be read.*ENOENT/);
});

test('the forms of Kafka Connect are taken, with a mark before the text, and every digit stays', async (t) => {
  const dir = folder(t);
  write(join(dir, 'a.JSON'), '\uFEFF{"name":"a","connector.class":"A","big":12345678901234567890,"on":true}');
  write(join(dir, 'b.properties'), '# b\nname=b\nconnector.class = B\n');
  const { connectors, problems } = await readBootConnectors(dir, join(dir, '.store'));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    connectors.map(({ name, config }) => ({ name, config })),
    [
      { name: 'a', config: { name: 'a', 'connector.class': 'A', big: '12345678901234567890', on: 'true' } },
      { name: 'b', config: { name: 'b', 'connector.class': 'B' } },
    ],
  );
});

test('tests beside a connector, or in its file, are left alone', async (t) => {
  const dir = folder(t);
  write(join(dir, 'a.json'), '{"name":"a","config":{"n":"1"},"tests":[]}');
  write(join(dir, 'a.test.json'), '[{"in":{},"out":null}]');
  const { connectors, problems } = await readBootConnectors(dir, join(dir, '.store'));
  assert.deepEqual(
    [connectors.map(({ name, config }) => [name, config]), problems],
    [[['a', { n: '1' }]], []],
  );
});

test('a name in two files, and a key that stands twice in one, are problems', async (t) => {
  const dir = folder(t);
  write(join(dir, 'a.json'), '{"name":"same","config":{"n":"1"}}');
  write(join(dir, 'b.json'), '{"name":"same","config":{"n":"2"}}');
  write(join(dir, 'c.json'), '{"name":"c","config":{"n":"1","n":"2"}}');
  write(join(dir, 'd.properties'), 'name=d\nn=1\nn=2\n');
  const { connectors, problems } = await readBootConnectors(dir, join(dir, '.store'));
  assert.deepEqual(
    connectors.map(({ config }) => config),
    [{ n: '1' }],
  );
  assert.match(problems[0]?.reason ?? '', /same is in a\.json already/);
  assert.match(problems[1]?.reason ?? '', /same key is there already/);
  assert.match(problems[2]?.reason ?? '', /line 3: n stands here and in line 2/);
});
