import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathProblem } from '#troupe/connectors/file/path-problem.js';
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
    '${timestamp}.log',
    '{topic.log',
    'topic}.log',
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

test('placeholders may be written as Kafka Connect writes them', () => {
  const values = { topic: 'orders', queue: 3, task: 0 };
  assert.equal(new OutputPath('/data/${topic}-{queue}$.txt', null).render(values), '/data/orders-3$.txt');
});

test('what looks like a path but would name a file that nobody meant is refused with what to write', () => {
  for (const [file, reason] of [
    ['~/out.log', /~ is a matter of the shell/],
    ['"/data/out.log"', /without quotation marks/],
    ['$HOME/out.log', /variables are not replaced/],
    ['${HOME}/out.log', /variables are not replaced/],
    ['file:///data/out.log', /URL/],
    ['s3://bucket/out.log', /URL/],
    ['C:\\data\\out.log', /Windows/],
    ['C:/data/out.log', /Windows/],
    ['\\\\server\\share\\out.log', /Windows/],
    ['/data/out\n.log', /line breaks/],
  ] as const) {
    assert.throws(() => new OutputPath(file, null), { ...refused, message: reason }, file);
    assert.match(pathProblem(file) ?? '', reason);
  }
  for (const file of ['/data/a b.log', 'dir/-x', '/data/ä~1.log', '/data/$x', 'a:b'])
    assert.equal(pathProblem(file), null, file);
});
