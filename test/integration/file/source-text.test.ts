import assert from 'node:assert/strict';
import { appendFile, open, rename, truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withSource } from './with-source.js';

async function writeAt(path: string, text: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(text, position);
  } finally {
    await file.close();
  }
}

test('a return ends a line as a newline does, and both together are one end, however they are written', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'one\rtwo\rthree\r');
    await harness.start();
    assert.deepEqual(await take(3), ['one', 'two', 'three']);
    await appendFile(path, '\nfour\r\n\rfünf\r\n\nsix\n');
    assert.deepEqual(await take(5), ['four', '', 'fünf', '', 'six']);
    await appendFile(path, 'seven\r');
    assert.deepEqual(await take(1), ['seven']);
    await harness.stop();
    await appendFile(path, '\neight\r\r');
    await harness.start();
    assert.deepEqual(await take(2), ['eight', '']);
    assert.deepEqual(await harness.poll(), []);
    assert.equal(harness.positions[0]?.position['position'], 48);
  }));

test('the mark at the beginning of a file is no part of its first line, whole or not', async () => {
  const marked = (line: string): Buffer => Buffer.from(`\uFEFF${line}`);
  await withSource({ 'flush.partial.ms': '0', format: 'json' }, async ({ path, harness, take }) => {
    await writeFile(path, marked('{"a":1}'));
    await harness.start();
    assert.deepEqual(await take(1), [{ a: 1 }]);
  });
  for (const size of ['4096', '65536'])
    await withSource(
      { 'on.long.line': 'truncate', 'max.line.bytes': '10', 'read.chunk.bytes': size },
      async ({ path, harness, take }) => {
        await writeFile(path, marked(`${'x'.repeat(20_000)}\nb\n`));
        await harness.start();
        assert.deepEqual(await take(2), ['xxxxxxx', 'b']);
      },
    );
});

test('a newline that follows a return at the end where reading starts is no line', () =>
  withSource({ 'start.from': 'end' }, async ({ path, harness, take }) => {
    await writeFile(path, 'old\r');
    await harness.start();
    await appendFile(path, '\nnew\n');
    assert.deepEqual(await take(1), ['new']);
  }));

test('much text whose lines end in returns only is cut where it must be', () =>
  withSource({ 'read.chunk.bytes': '4096' }, async ({ path, harness, take }) => {
    const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n}${n % 7 === 0 ? ' ß' : ''}`);
    await writeFile(path, lines.map((line, n) => line + (n % 3 === 0 ? '\r\n' : '\r')).join(''));
    await harness.start();
    assert.deepEqual(await take(lines.length), lines);
  }));

test('with newlines only, a return is a character of its line', () =>
  withSource({ 'line.ends': 'newline' }, async ({ path, harness, take }) => {
    await writeFile(path, '10%\r20%\r\nß\rdone\n\r\n');
    await harness.start();
    assert.deepEqual(await take(3), ['10%\r20%', 'ß\rdone', '']);
  }));

for (const encoding of ['utf-16le', 'utf-16be'] as const) {
  const encoded = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'utf16le');
    return encoding === 'utf-16le' ? bytes : bytes.swap16();
  };
  test(`a file of ${encoding} is read by its mark, from any place on`, () =>
    withSource({}, async ({ path, harness, take }) => {
      // U+0A0D and U+0D0A hold the bytes of line ends, and are none.
      await writeFile(path, encoded('\uFEFFone\r\n\u0A0D\u0D0A\u010A€😀\n\rthree'));
      await harness.start();
      assert.deepEqual(await take(3), ['one', '\u0A0D\u0D0A\u010A€😀', '']);
      await harness.stop();
      const rest = encoded(' and more\nend\r');
      await appendFile(path, rest.subarray(0, 5));
      await harness.start();
      assert.deepEqual(await harness.poll(), []);
      await appendFile(path, rest.subarray(5));
      assert.deepEqual(await take(2), ['three and more', 'end']);
    }));

  test(`a file of ${encoding} without a mark is read as that when it is said`, () =>
    withSource(
      { encoding, 'max.line.bytes': '8', 'on.long.line': 'truncate', 'read.chunk.bytes': '4096' },
      async ({ path, harness, take }) => {
        await writeFile(path, encoded(`ab\nabcd\nabcdef\n${'x'.repeat(9000)}\r\nend\n`));
        await harness.start();
        assert.deepEqual(await take(5), ['ab', 'abcd', 'abcd', 'xxxx', 'end']);
      },
    ));
}

test('the hole that a writer leaves when its file is emptied under it is passed over', () =>
  withSource({ 'max.line.bytes': '10000', 'read.chunk.bytes': '4096' }, async ({ path, harness, take }) => {
    await writeFile(path, `${'x'.repeat(199)}\n`.repeat(600));
    await harness.start();
    await take(600);
    for (const [round, size] of [120_000, 240_003, 360_001].entries()) {
      await truncate(path, 0);
      await writeAt(path, `after rotation ${round}\n`, size);
      assert.deepEqual(await take(1), [`after rotation ${round}`]);
    }
    assert.ok(harness.log.lines.some(({ message }) => message.startsWith('passed over bytes of 0')));
    await harness.stop();
    await writeAt(path, 'and on\n', 360_001 + 17);
    await harness.start();
    assert.deepEqual(await take(1), ['and on']);
    await rename(path, `${path}.1`);
    await writeFile(path, 'the next\n');
    assert.deepEqual(await take(1), ['the next']);
  }));

test('room that a writer has made in advance is read when it is filled', () =>
  withSource({ 'flush.partial.ms': '20' }, async ({ path, harness, take }) => {
    await writeFile(path, 'a\n');
    await truncate(path, 10_000);
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    assert.deepEqual(await harness.poll(), []);
    await writeAt(path, 'b\n', 2);
    assert.deepEqual(await take(1), ['b']);
    await rename(path, `${path}.1`);
    await writeFile(path, 'c\n');
    assert.deepEqual(await take(1), ['c']);
  }));
