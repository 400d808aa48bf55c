import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutputPath } from '#troupe/connectors/file/sink/output-path.js';

const refused = { name: 'ConfigError', field: 'file' };

test('paths that leave their folder are refused', () => {
  for (const file of [
    '../out.log',
    'a/../../out.log',
    'a/..',
    '..',
    'folder/',
    'a\0b',
    '{nothing}.log',
    '/elsewhere/out.log',
  ]) {
    assert.throws(() => new OutputPath(file, '/data/base'), refused, file);
  }
  assert.throws(() => new OutputPath('../out.log', null), refused);
});

test('an absolute path without a base folder stays in the folder it names', () => {
  assert.equal(new OutputPath('/data/out.log', null).base, '/data');
  assert.equal(new OutputPath('/data/{topic}/out.log', null).base, '/data');
  assert.equal(
    new OutputPath('a/../b.log', '/data').render({ topic: 't', queue: 0, task: 0 }),
    '/data/b.log',
  );
});

test('whatever a topic is named, its path is inside, and no two topics share one', () => {
  const path = new OutputPath('{topic}/{queue}.log', '/data');
  const topic = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'B', '7', '.', '/', '\\', '%', '-', 'é', '😀', '\0', ' ') }),
    fc.constantFrom('', '.', '..', '../x', '%', '%2E', 'a/b', 'a\\b', '{queue}'),
  );
  fc.assert(
    fc.property(topic, topic, (a, b) => {
      const [first, second] = [a, b].map((name) => path.render({ topic: name, queue: 3, task: 0 }));
      assert.match(first ?? '', /^\/data\/[A-Za-z0-9._%-]+\/3\.log$/);
      assert.ok(!/\/\.\.?\//.test(first ?? ''));
      assert.equal(first === second, Buffer.from(a).equals(Buffer.from(b)));
    }),
  );
});
