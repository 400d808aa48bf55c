import assert from 'node:assert/strict';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withSource } from './with-source.js';

const FLUSH = { 'flush.partial.ms': '20' };
const EURO = Buffer.from('€');

for (const [written, follows] of [
  ['abc', '\n'],
  ['abc', '\r\n'],
  ['abc\r', '\n'],
] as const) {
  const name = `${JSON.stringify(written)} passed on before ${JSON.stringify(follows)} follows`;
  test(`${name} is one line`, () =>
    withSource(FLUSH, async ({ path, harness, take }) => {
      await writeFile(path, written);
      await harness.start();
      assert.deepEqual(await take(1), ['abc']);
      assert.deepEqual(await harness.poll(), []);
      await appendFile(path, `${follows}\r\ntwo\r\n`);
      assert.deepEqual(await take(2), ['', 'two']);
    }));

  test(`${name} is one line, also with a restart between`, () =>
    withSource(FLUSH, async ({ path, harness, take }) => {
      await writeFile(path, written);
      await harness.start();
      assert.deepEqual(await take(1), ['abc']);
      await harness.stop();
      await appendFile(path, `${follows}two\r\n`);
      await harness.start();
      assert.deepEqual(await take(1), ['two']);
    }));
}

test('a line passed on within a character, or before a return that ends nothing, loses none of it', () =>
  withSource({ ...FLUSH, 'line.ends': 'newline' }, async ({ path, harness, take }) => {
    await writeFile(path, Buffer.concat([Buffer.from('a'), EURO.subarray(0, 2)]));
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await appendFile(path, Buffer.concat([EURO.subarray(2), Buffer.from('b\r')]));
    assert.deepEqual(await take(1), ['€b']);
    await appendFile(path, 'c\n');
    assert.deepEqual(await take(1), ['\rc']);
  }));

test('what was held back of a rotated file comes although nothing follows', () =>
  withSource(FLUSH, async ({ path, harness, take }) => {
    await writeFile(path, Buffer.concat([Buffer.from('a'), EURO.subarray(0, 2)]));
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await rename(path, `${path}.1`);
    await writeFile(path, 'b\n');
    assert.deepEqual(await take(2), ['\uFFFD', 'b']);
  }));

test('a line that is too long and passed on before its end is one line', () =>
  withSource(
    { ...FLUSH, 'on.long.line': 'truncate', 'max.line.bytes': '10' },
    async ({ path, harness, take }) => {
      await writeFile(path, 'x'.repeat(20));
      await harness.start();
      assert.deepEqual(await take(1), ['x'.repeat(10)]);
      await appendFile(path, '\ntwo\n');
      assert.deepEqual(await take(1), ['two']);
    },
  ));
