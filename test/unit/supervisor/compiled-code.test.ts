import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompiledCode } from '#troupe/supervisor/compiled-code.js';

const thread = 'file:///task.cjs';
const a = { thread, codeKind: 'a' };

test('one thread is asked at a time, and another when that has ended without an answer', () => {
  let now = 0;
  const code = new CompiledCode(() => now);
  assert.equal(code.asks(a), true);
  assert.equal(code.asks(a), false);
  assert.equal(code.asks({ thread, codeKind: 'b' }), true);
  now = 10_000;
  assert.equal(code.asks(a), true);
  code.given(a, new SharedArrayBuffer(1));
  now = 60_000;
  assert.equal(code.asks(a), false);
});

test('a spare thread gets that of the kind that was started last', () => {
  const code = new CompiledCode(() => 0);
  const [first, second] = [new SharedArrayBuffer(1), new SharedArrayBuffer(1)];
  const spare = (): unknown => code.file({ thread })?.compiled;
  assert.equal(spare(), null);
  code.given(a, first);
  code.given({ thread, codeKind: 'b' }, second);
  assert.equal(spare(), second);
  code.asks(a);
  assert.equal(spare(), first);
  assert.equal(code.file({ thread, codeKind: 'c' })?.compiled, null);
  assert.equal(code.file({}), null);
});

test('of many kinds the ones not started for longest are forgotten', () => {
  const code = new CompiledCode(() => 0);
  const kinds = Array.from({ length: 9 }, (_, at) => ({ thread, codeKind: String(at) }));
  for (const kind of kinds) code.given(kind, new SharedArrayBuffer(1));
  assert.deepEqual(
    kinds.map((kind) => code.file(kind)?.compiled !== null),
    [false, ...Array<boolean>(8).fill(true)],
  );
});
