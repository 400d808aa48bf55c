import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rememberSecrets } from '#troupe/actors/kernel/known-secrets.js';
import { isWireError, toWireError } from '#troupe/actors/kernel/wire-error.js';

const huge = 'x'.repeat(20_000_000);

/** Well below what a status or a message of the log may have. */
const MAX = 60_000;

test('what a plugin throws crosses threads in a bounded size, whatever it has put where', () => {
  const causes = new Error(huge, { cause: new Error(huge, { cause: new Error('the root of it') }) });
  const thrown: readonly unknown[] = [
    new Error(huge),
    causes,
    Object.assign(new Error('e'), { name: huge, code: huge, stack: huge }),
    Object.assign(new Error('e'), { message: { text: huge }, stack: [huge, huge, huge] }),
    huge,
    { rows: Array.from({ length: 1_000_000 }, (_, i) => ({ i })) },
    Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`key ${i}`, huge])),
  ];
  for (const error of thrown) {
    const wire = toWireError(error);
    assert.ok(isWireError(wire));
    assert.ok(JSON.stringify(wire).length < MAX, `${JSON.stringify(wire).length}`);
  }
  assert.match(
    toWireError(causes).stack ?? '',
    /Caused by: Error: x+.*cut.*\nCaused by: Error: the root of it/s,
  );
  assert.match(toWireError(new Error(huge)).message, /^x{4000}… \(cut, it had 20000000 characters\)$/);
});

test('an error whose properties throw is still an error', () => {
  const hostile = new Error('e');
  // Node writes the stack down when it is first read, and reads the others for it.
  assert.ok(hostile.stack);
  for (const property of ['name', 'message', 'stack', 'code', 'cause', 'retriable']) {
    Object.defineProperty(hostile, property, {
      get() {
        throw new Error('no');
      },
    });
  }
  assert.ok(isWireError(toWireError(hostile)));
});

test('a secret is not left in half where a message is cut', () => {
  const secret = `s3cr3t-${'q'.repeat(300)}`;
  rememberSecrets([secret]);
  for (let before = 3600; before < 4010; before += 7) {
    const { message } = toWireError(new Error(`${'-'.repeat(before)}${secret} ${'.'.repeat(9000)}`));
    assert.doesNotMatch(message, /s3cr/);
  }
});
