import assert from 'node:assert/strict';
import { appendFile, link, mkdir, open, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DataError, type SourceRecord } from '#troupe/sdk/index.js';
import { until } from '../../support/wait.js';
import { withSource } from './with-source.js';

function positions(records: readonly SourceRecord[]): unknown[] {
  return records.map(({ sourcePosition }) => sourcePosition['position']);
}

test('a half-written last line waits for its end, and characters split between writes arrive whole', () =>
  withSource({}, async ({ path, harness, take }) => {
    const euro = Buffer.from('€');
    await writeFile(path, 'one\ntw');
    await harness.start();
    assert.deepEqual(await take(1), ['one']);
    assert.deepEqual(await harness.poll(), []);
    await appendFile(path, euro.subarray(0, 2));
    await appendFile(path, Buffer.concat([euro.subarray(2), Buffer.from('o\r\n\nlast\r\n')]));
    assert.deepEqual(await take(3), ['tw€o', '', 'last']);
  }));

test('positions are exact bytes, also behind bytes that are not UTF-8', () =>
  withSource({}, async ({ path, harness }) => {
    const lines = [
      Buffer.from('ascii\n'),
      Buffer.from('€uro\r\n'),
      Buffer.from([0xff, 0xc3, 0x28, 0x0a]),
      Buffer.from('end\n'),
    ];
    await writeFile(path, Buffer.concat([Buffer.from('\uFEFF'), ...lines]));
    await harness.start();
    const records = await harness.collect(4);
    assert.deepEqual(positions(records), [9, 17, 21, 25]);
    assert.deepEqual(
      records.map(({ value }) => value),
      ['ascii', '€uro', '\uFFFD\uFFFD(', 'end'],
    );
  }));

test('an unterminated line of a quiet file is passed on when that is asked for', () =>
  withSource({ 'flush.partial.ms': '20' }, async ({ path, harness, take }) => {
    await writeFile(path, 'one\nno end');
    await harness.start();
    assert.deepEqual(await take(2), ['one', 'no end']);
    await appendFile(path, '\ntwo\n');
    assert.deepEqual(await take(1), ['two']);
  }));

test('a file seen first may be read from its end, which is the start of its last half-written line', () =>
  withSource({ 'start.from': 'end' }, async ({ path, harness, take }) => {
    await writeFile(path, 'old\nolder\nhalf ');
    await harness.start();
    await appendFile(path, 'line\nnew\n');
    assert.deepEqual(await take(2), ['half line', 'new']);
  }));

test('lines written after a start from the end come, though the task dies before the first of them is durable', () =>
  withSource({ files: '*.log', 'start.from': 'end' }, async ({ folder, path, harness, take }) => {
    await writeFile(path, 'old\n');
    await harness.start();
    await appendFile(path, 'a\n');
    await harness.collect(1);
    await writeFile(join(folder, 'later.log'), 'b\n');
    await harness.collect(1);
    harness.kill();
    await harness.start();
    assert.deepEqual((await take(2)).sort(), ['a', 'b']);
  }));

for (const [policy, expected] of [
  ['skip', ['ok', 'end']],
  ['truncate', ['ok', 'aaaaaaaaaa', '€€€', 'end']],
] as const) {
  test(`on.long.line=${policy} goes on behind lines that are too long, however long`, () =>
    withSource(
      { 'on.long.line': policy, 'max.line.bytes': '10', 'read.chunk.bytes': '4096' },
      async ({ path, harness, take }) => {
        await writeFile(path, `ok\n${'a'.repeat(20_000)}\n${'€'.repeat(9)}\nend\n`);
        await harness.start();
        assert.deepEqual(await take(expected.length), expected);
        assert.equal(harness.positions[0]?.position['position'], 3 + 20_001 + 28 + 4);
      },
    ));
}

test('a line that is too long fails the task where it stands, after the lines before it', () =>
  withSource({ 'max.line.bytes': '10' }, async ({ path, harness, take }) => {
    await writeFile(path, `0123456789\r\n${'a'.repeat(11)}\nb\n${'c'.repeat(30)}`);
    await harness.start();
    assert.deepEqual(await take(1), ['0123456789']);
    await assert.rejects(harness.poll(), { code: 'FILE_LINE_TOO_LONG', message: /byte 12 / });
    // Tolerated or not: the next poll is not for the same line.
    assert.deepEqual(
      (await harness.poll()).map(({ value }) => value),
      ['b'],
    );
    // Where its end is not known, there is nothing to go on with.
    await appendFile(path, 'c');
    await assert.rejects(harness.poll(), { code: 'FILE_LINE_TOO_LONG' });
    await assert.rejects(harness.poll(), { code: 'FILE_LINE_TOO_LONG' });
  }));

test('where bad records are tolerated, a line that is too long says where it ends, once that is known', () =>
  withSource(
    { 'max.line.bytes': '10', 'read.chunk.bytes': '4096', 'errors.tolerance': 'all' },
    async ({ path, harness, take }) => {
      await writeFile(path, `a\n${'b'.repeat(20_000)}\nc\n${'d'.repeat(20)}`);
      await harness.start();
      assert.deepEqual(await take(1), ['a']);
      const endsAt =
        (position: number) =>
        (error: Error): boolean =>
          error instanceof DataError && error.skipTo?.position['position'] === position;
      await assert.rejects(harness.poll(), endsAt(20_003));
      assert.deepEqual(await take(1), ['c']);
      assert.deepEqual(await harness.poll(), []);
      await appendFile(path, 'd\ne\n');
      await assert.rejects(harness.poll(), endsAt(20_027));
      assert.deepEqual(await take(1), ['e']);
    },
  ));

test('a line longer than what is read at once arrives whole', () =>
  withSource({ 'read.chunk.bytes': '4096' }, async ({ path, harness, take }) => {
    await writeFile(path, `a\n${'b'.repeat(100_000)}\nc\n`);
    await harness.start();
    assert.deepEqual(await take(3), ['a', 'b'.repeat(100_000), 'c']);
  }));

test('JSON lines become values, and bad ones are failed, skipped or passed on raw as asked', async () => {
  const text = '{"a":1}\n\nnot json\n[2]\n';
  await withSource({ format: 'json' }, async ({ path, harness, take }) => {
    await writeFile(path, text);
    await harness.start();
    assert.deepEqual(await take(1), [{ a: 1 }]);
    await assert.rejects(
      harness.poll(),
      (error: Error) =>
        error instanceof DataError &&
        error.code === 'FILE_BAD_LINE' &&
        error.skipTo?.position['position'] === 18 &&
        !/not json/.test(`${error.message}${String(error.cause)}`),
    );
    assert.deepEqual(await take(1), [[2]]);
  });
  for (const [policy, expected] of [
    ['skip', [{ a: 1 }, [2]]],
    ['raw', [{ a: 1 }, 'not json', [2]]],
  ] as const) {
    await withSource({ format: 'json', 'on.bad.line': policy }, async ({ path, harness, take }) => {
      await writeFile(path, text);
      await harness.start();
      assert.deepEqual(await take(expected.length), expected);
    });
  }
});

test('a number that is too large for a double is named as such, not as what is no JSON', () =>
  withSource({ format: 'json' }, async ({ path, harness }) => {
    await writeFile(path, '{"a":1e400}\n');
    await harness.start();
    await assert.rejects(harness.poll(), {
      code: 'FILE_BAD_LINE',
      message: /cannot be read: a number is larger/,
    });
  }));

test('numbers in JSON lines keep their digits, and lines of blanks are no lines', () =>
  withSource({ format: 'json' }, async ({ path, harness, take }) => {
    await writeFile(
      path,
      '{"id":9007199254740993}\n \t \r\n{"id":[12345678901234567890,-0.5,1e3,9007199254740991]}\n',
    );
    await harness.start();
    assert.deepEqual(await take(2), [
      { id: 9007199254740993n },
      { id: [12345678901234567890n, -0.5, 1000, 9007199254740991] },
    ]);
  }));

test('a writer that keeps the renamed file for a while loses nothing', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await rename(path, `${path}.1`);
    await writeFile(path, '');
    await appendFile(`${path}.1`, 'b\n');
    assert.deepEqual(await take(1), ['b']);
    await appendFile(`${path}.1`, 'c without end');
    await appendFile(path, 'd\n');
    assert.deepEqual(await take(2), ['c without end', 'd']);
  }));

test('with a pattern that matches the rotated names too, every line comes once', () =>
  withSource({ files: '*.log*' }, async ({ path, harness, take }) => {
    await writeFile(path, 'a\n');
    await harness.start();
    const values = await take(1);
    for (const [round, line] of ['b', 'c', 'd'].entries()) {
      for (let n = round; n > 0; n -= 1) await rename(`${path}.${n}`, `${path}.${n + 1}`);
      await rename(path, `${path}.1`);
      await writeFile(path, `${line}\n`);
      if (round === 1) await harness.stop();
      if (round === 1) await harness.start();
      values.push(...(await take(1)));
    }
    await harness.stop();
    await harness.start();
    await appendFile(path, 'e\n');
    values.push(...(await take(1)));
    assert.deepEqual(await harness.poll(), []);
    assert.deepEqual(values, ['a', 'b', 'c', 'd', 'e']);
  }));

test('a file with two names is read once', () =>
  withSource({ files: '*.log' }, async ({ folder, path, harness, take }) => {
    await writeFile(path, 'a\n');
    await link(path, join(folder, 'hard.log'));
    await symlink(path, join(folder, 'soft.log'));
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    assert.deepEqual(await harness.poll(), []);
  }));

test('a symbolic link that is moved to another file is followed there', () =>
  withSource({}, async ({ folder, path, harness, take }) => {
    await writeFile(join(folder, 'monday'), 'a\n');
    await symlink(join(folder, 'monday'), path);
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await harness.stop();
    await appendFile(join(folder, 'monday'), 'b\n');
    await writeFile(join(folder, 'tuesday'), 'c\n');
    await rm(path);
    await symlink(join(folder, 'tuesday'), path);
    await harness.start();
    assert.deepEqual(await take(2), ['b', 'c']);
  }));

test('files that appear and vanish are followed while they are there', () =>
  withSource({ files: 'd/**/*.log' }, async ({ folder, harness, take }) => {
    await harness.start();
    assert.deepEqual(await harness.poll(), []);
    await mkdir(join(folder, 'd', 'deep'), { recursive: true });
    await writeFile(join(folder, 'd', 'deep', 'x.log'), 'a\n');
    await writeFile(join(folder, 'd', 'deep', 'x.log.gz'), 'no\n');
    assert.deepEqual(await take(1), ['a']);
    await rm(join(folder, 'd'), { recursive: true });
    await mkdir(join(folder, 'd'));
    await writeFile(join(folder, 'd', 'y.log'), 'b\n');
    assert.deepEqual(await take(1), ['b']);
  }));

test('the position of a deleted file is retired, and of one that was only moved it is kept', () =>
  withSource({ files: '*.csv' }, async ({ folder, harness, take }) => {
    for (const name of ['a.csv', 'b.csv']) await writeFile(join(folder, name), 'x\n');
    await harness.start();
    await take(2);
    await rm(join(folder, 'a.csv'));
    await rename(join(folder, 'b.csv'), join(folder, 'moved'));
    await until('the deleted file is let go of', async () => {
      assert.deepEqual(await harness.poll(), []);
      return harness.positions.length === 1;
    });
    assert.deepEqual(harness.positions[0]?.partition, { file: join(folder, 'b.csv') });
    await writeFile(join(folder, 'a.csv'), 'x\ny\n');
    assert.deepEqual(await take(2), ['x', 'y']);
  }));

test('a file emptied and filled beyond the old position is read from its beginning', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'first\n');
    await harness.start();
    await take(1);
    await truncate(path, 0);
    await appendFile(path, 'second, and longer\n');
    assert.deepEqual(await take(1), ['second, and longer']);
    await harness.stop();
    await truncate(path, 0);
    await appendFile(path, 'third, and longer than that\n');
    await harness.start();
    assert.deepEqual(await take(1), ['third, and longer than that']);
  }));

const HEADER = `${'id,name'.padEnd(1100, '-')}\n`;

test('a file written anew in place, longer and with the same long beginning, is read from its beginning', async () => {
  const rows = (word: string, count: number): string[] =>
    Array.from({ length: count }, (_, n) => `${word} ${n}`.padEnd(20, '.'));
  const before = rows('old', 20);
  const after = rows('new', 40);
  for (const restarts of [true, false]) {
    await withSource({}, async ({ path, harness, take }) => {
      await writeFile(path, `${HEADER}${before.join('\n')}\n`);
      await harness.start();
      assert.equal((await take(21)).length, 21);
      if (restarts) await harness.stop();
      await writeFile(path, `${HEADER}${after.join('\n')}\n`);
      if (restarts) await harness.start();
      assert.deepEqual((await take(41)).slice(1), after);
      await appendFile(path, 'more\n');
      assert.deepEqual(await take(1), ['more']);
    });
  }
});

test('where lines were read in several pieces, all of them are looked at, and more may be written to the last', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, HEADER);
    await harness.start();
    assert.equal((await take(1)).length, 1);
    for (const row of ['aaaa\n', 'x\n', '[']) await appendFile(path, row);
    assert.deepEqual(await take(2), ['aaaa', 'x']);
    // Before the end of the last whole line nothing may change, behind it everything may.
    await truncate(path, HEADER.length + 7);
    await appendFile(path, '{}\n');
    assert.deepEqual(await take(1), ['{}']);
    await harness.stop();
    await writeFile(path, `${HEADER}bbbb\nx\n{}\nnext\n`);
    await harness.start();
    assert.deepEqual((await take(5)).slice(1), ['bbbb', 'x', '{}', 'next']);
  }));

test('a position of an older version, which knows only how the file began, is gone on from', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'one\ntwo\n');
    await harness.start();
    const [one] = await harness.collect(1);
    assert.ok(one !== undefined);
    const written = one.sourcePosition['file'];
    assert.ok(typeof written === 'object' && written !== null && 'trail' in written);
    const { trail: _, ...file } = written;
    await harness.stop();
    await harness.accept([{ ...one, sourcePosition: { position: 4, file } }]);
    await harness.start();
    assert.deepEqual(await take(1), ['two']);
  }));

test('a file is known again when it is written anew before anything was read since the start', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, `${HEADER}old 1\nold 2\n`);
    await harness.start();
    assert.equal((await take(3)).length, 3);
    await harness.stop();
    await harness.start();
    await writeFile(path, `${HEADER}new 1\nnew 2\nnew 3\n`);
    assert.deepEqual((await take(4)).slice(1), ['new 1', 'new 2', 'new 3']);
  }));

test('a file restored with another inode goes on where it was, when it is long enough to be recognised', () =>
  withSource({}, async ({ folder, path, harness, take }) => {
    const text = Array.from({ length: 40 }, (_, n) => `line number ${n}\n`).join('');
    await writeFile(path, text);
    await harness.start();
    await take(40);
    await harness.stop();
    await writeFile(join(folder, 'copy'), `${text}more\n`);
    await rm(path);
    await rename(join(folder, 'copy'), path);
    await harness.start();
    assert.deepEqual(await take(1), ['more']);
  }));

test("positions of Kafka's FileStreamSource are gone on from", () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'a\nb\n');
    const record = { sourcePartition: { filename: path }, sourcePosition: { position: 2 } };
    await harness.accept([
      {
        ...record,
        topic: null,
        queue: null,
        keySchema: null,
        key: null,
        valueSchema: null,
        value: 'a',
        timestamp: null,
        headers: [],
      },
    ]);
    await harness.start();
    assert.deepEqual(await take(1), ['b']);
  }));

test('one file that cannot be opened does not hold up the others', () =>
  withSource({ files: 'bad.log,app.log' }, async ({ folder, path, harness, take }) => {
    // Nobody can open a link to itself, not even who may read everything.
    await symlink(join(folder, 'bad.log'), join(folder, 'bad.log'));
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
  }));

test('a path that cannot be opened is a RetriableError that says why, and a folder a ConfigError', async () => {
  await withSource({}, async ({ path, harness }) => {
    await symlink(path, path);
    await harness.start();
    await assert.rejects(harness.poll(), {
      name: 'RetriableError',
      code: 'FILE_NOT_READABLE',
      message: /app\.log \(ELOOP\)/,
    });
  });
  await withSource({}, async ({ path, harness }) => {
    await mkdir(path);
    await assert.rejects(harness.start(), {
      name: 'ConfigError',
      code: 'FILE_NOT_A_FILE',
      message: /folder/,
    });
  });
});

test('several tasks share the files of a pattern, each file and its rotated pieces with one of them', () =>
  withSource(
    { files: '*.log*' },
    async ({ folder, harness, take }) => {
      const names = Array.from({ length: 12 }, (_, n) => `${'abcdefghijkl'[n]}.log`);
      for (const name of names) await writeFile(join(folder, name), `${name}\n`);
      for (const name of names) await writeFile(join(folder, `${name}.1`), `${name}.1\n`);
      await harness.start();
      assert.equal(harness.taskCount, 3);
      const values = await take(24);
      assert.deepEqual(
        values.sort(),
        names.flatMap((name) => [name, `${name}.1`]),
      );
    },
    { maxTasks: 3 },
  ));

test('a file that a pattern matches, and a link to it as well, is read once, by one of several tasks', () =>
  withSource(
    { files: 'logs/*.log' },
    async ({ folder, harness, take }) => {
      await mkdir(join(folder, 'real'));
      await symlink('real', join(folder, 'logs'));
      const names = Array.from('abcdefgh');
      for (const name of names) {
        await writeFile(join(folder, 'real', `app-${name}.log`), `${name}\n`);
        await symlink(`app-${name}.log`, join(folder, 'real', `${name}-now.log`));
      }
      await harness.start();
      const values = await take(names.length);
      assert.deepEqual(await harness.poll(), []);
      assert.deepEqual(values.sort(), names);
    },
    { maxTasks: 3 },
  ));

test('given paths that lead to one file are read once, by one of several tasks, also when a link moves', () =>
  withSource(
    { files: 'now.log,a.log,also.log,b.log,out/c.log,link/c.log' },
    async ({ folder, harness, take }) => {
      await mkdir(join(folder, 'out'));
      await symlink('out', join(folder, 'link'));
      for (const name of ['a', 'b', 'out/c']) await writeFile(join(folder, `${name}.log`), `${name}\n`);
      for (const name of ['now', 'also']) await symlink('a.log', join(folder, `${name}.log`));
      await harness.start();
      assert.equal(harness.taskCount, 3);
      assert.deepEqual((await take(3)).sort(), ['a', 'b', 'out/c']);
      assert.deepEqual(await harness.poll(), []);
      await symlink('d.log', join(folder, 'next'));
      await writeFile(join(folder, 'd.log'), 'd\n');
      await rename(join(folder, 'next'), join(folder, 'now.log'));
      assert.deepEqual(await take(1), ['d']);
    },
    { maxTasks: 6 },
  ));

test('two links that a pattern matches, to a file that it does not match, are read once', () =>
  withSource(
    { files: '*.log' },
    async ({ folder, harness, take }) => {
      await writeFile(join(folder, 'real.txt'), 'a\n');
      for (const name of 'abcdefgh') await symlink('real.txt', join(folder, `${name}.log`));
      await harness.start();
      assert.deepEqual(await take(1), ['a']);
      assert.deepEqual(await harness.poll(), []);
    },
    { maxTasks: 3 },
  ));

test('a file whose last line is written over is read again, and that is said once', async () => {
  const items = (count: number): string[] =>
    Array.from({ length: count }, (_, n) => `${n === 0 ? '' : ','}{"n":${String(n).padStart(20, '0')}}`);
  // Shorter than what is compared of a file's beginning, and longer.
  for (const count of [1, 100]) {
    await withSource({}, async ({ path, harness, take }) => {
      const write = async (lines: readonly string[]): Promise<void> => {
        const file = await open(path, 'r+');
        await file.write(['[', ...lines, ']\n'].join('\n'), 0);
        await file.close();
      };
      await writeFile(path, '');
      await write(items(count));
      await harness.start();
      await take(count + 2);
      for (const more of [1, 2]) {
        await write(items(count + more));
        assert.deepEqual(await take(count + more + 2), ['[', ...items(count + more), ']']);
      }
      const warnings = harness.log.lines.filter(({ level }) => level === 'warn');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]?.message ?? '', /^the last line of a file was written over/);
      assert.match(harness.said.notes.get('FILE_READ_AGAIN') ?? '', /: 2, the last: .*app\.log$/);
      assert.deepEqual(warnings[0]?.fields, { file: path });
    });
  }
});

test('of a file that was written anew it is not said that its last line was', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'one\ntwo\nthree\n');
    await harness.start();
    await take(3);
    await writeFile(path, 'one\n2222\nthree\nfour\n');
    assert.deepEqual(await take(4), ['one', '2222', 'three', 'four']);
    assert.ok(!harness.log.lines.some(({ level }) => level === 'warn'));
  }));

test('a file or folder that does not exist is said at once, and not over and over', async () => {
  for (const [config, message] of [
    [{}, /^the file does not exist/],
    [{ files: 'none/app.log' }, /^the folder of the file does not exist/],
    [{ files: 'none/*.log' }, /^no file matches/],
  ] as const) {
    await withSource(config, async ({ harness }) => {
      await harness.start();
      assert.deepEqual(await harness.poll(), []);
      const warnings = harness.log.lines.filter(({ level }) => level === 'warn');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]?.message ?? '', message);
    });
  }
});

test(
  'a file whose name is not UTF-8 is passed over with a word',
  { skip: process.platform !== 'linux' },
  () =>
    withSource({ files: '*.log' }, async ({ folder, path, harness, take }) => {
      await writeFile(
        Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xe4]), Buffer.from('.log')]),
        'x\n',
      );
      await writeFile(path, 'a\n');
      await harness.start();
      assert.deepEqual(await take(1), ['a']);
      assert.ok(harness.log.lines.some(({ message }) => message.startsWith('a name is not UTF-8')));
    }),
);

test('compressed files are left out whatever else is, and read when they are asked for', async () => {
  await withSource({ files: '*', 'files.exclude': '*.tmp' }, async ({ folder, path, harness, take }) => {
    for (const name of ['x.gz', 'x.tmp']) await writeFile(join(folder, name), 'no\n');
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    assert.deepEqual(await harness.poll(), []);
  });
  await withSource({ files: '*.gz' }, async ({ folder, harness, take }) => {
    await writeFile(join(folder, 'x.gz'), 'text after all\n');
    await harness.start();
    assert.deepEqual(await take(1), ['text after all']);
  });
});
