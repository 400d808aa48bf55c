/** Transactions of a source whose plugin the test plays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransactionPart } from '#troupe/core/model.js';
import { ConnectError, DataError, type RecordTransaction, type SourceRecord } from '#troupe/sdk/index.js';
import { at, play, type Played } from '../../support/played-source.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { until } from '../../support/wait.js';

const inside = (id = 'a'): RecordTransaction => ({ id, end: false });
const end = (id = 'a'): RecordTransaction => ({ id, end: true });
const TOLERANT: Played = { tolerance: { ...DEFAULT_TOLERANCE, tolerance: 'all' } };

type Poll = readonly SourceRecord[] | (() => readonly SourceRecord[] | Promise<readonly SourceRecord[]>);

/** Gives these polls, and then nothing more, slowly. */
function polls(given: readonly Poll[]) {
  const rest = [...given];
  return async (): Promise<readonly SourceRecord[]> => {
    const next = rest.shift() ?? [];
    const records = typeof next === 'function' ? await next() : next;
    if (records.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return records;
  };
}

test('a transaction of several polls is one append with its position, while other partitions go on', async (t) => {
  const committed: unknown[] = [];
  const commit: Played['commit'] = (positions) => {
    committed.push(...positions.map(({ position }) => position));
  };
  let others = false;
  const { appends } = play(
    t,
    polls([
      [at(1, inside()), at(7, null, 'two')],
      async () => {
        await until('what is not part of it is there', () => appends.length === 1);
        others = true;
        return [at(2, inside())];
      },
      [at(3, end())],
    ]),
    { commit },
  );
  await until('it is committed', () => committed.length === 2);
  assert.ok(others);
  assert.deepEqual(appends, [
    { values: ['7'], ends: [false], words: [{ n: 7 }] },
    { values: ['1', '2', '3'], ends: [false, false, true], words: [{ n: 3 }] },
  ]);
  assert.deepEqual(committed, [{ n: 7 }, { n: 3 }]);
});

test('a transaction ends before the next record of its partition that is not part of it', async (t) => {
  const { appends } = play(t, polls([[at(1, inside()), at(2, inside()), at(3, inside('b'))], [at(4)]]));
  await until('both are there', () => appends.flatMap(({ values }) => values).length === 4);
  assert.deepEqual(
    appends.flatMap(({ ends }) => ends),
    [false, true, true, false],
  );
  assert.deepEqual(appends.at(-1)?.words, [{ n: 4 }]);
});

test('a transaction whose last record is dropped by a transform ends with it all the same', async (t) => {
  const { appends } = play(t, polls([[at(1, inside()), at(2, inside()), at(3, end())]]), {
    transform: (record) => (record.value === '3' ? null : record),
  });
  await until('it is there', () => appends.length === 1);
  assert.deepEqual(appends, [{ values: ['1', '2'], ends: [false, true], words: [{ n: 3 }] }]);
});

test('a transaction whose last record is bad and skipped ends with it all the same', async (t) => {
  const transform = (record: SourceRecord): SourceRecord => {
    if (record.value === '3') throw new DataError('bad');
    return record;
  };
  const { appends } = play(t, polls([[at(1, inside()), at(2, inside()), at(3, end())]]), {
    ...TOLERANT,
    transform,
  });
  await until('it is there', () => appends.length === 1);
  assert.deepEqual(appends, [{ values: ['1', '2'], ends: [false, true], words: [{ n: 3 }] }]);
});

test('a record of a transaction that is too large for the log is skipped alone', async (t) => {
  const large = { ...at(2, inside()), value: 'x'.repeat(2000) };
  const { appends } = play(t, polls([[at(1, inside()), large, at(3, end())]]), TOLERANT);
  await until('it is there', () => appends.length === 1);
  assert.deepEqual(appends[0]?.values, ['1', '3']);
});

test('a bad record of a poll within a transaction moves no position, and ends it where the source says so', async (t) => {
  const bad = (n: number, transaction?: RecordTransaction) => (): never => {
    throw new DataError(`bad ${n}`, {
      skipTo: { partition: { part: 'one' }, position: { n }, ...(transaction && { transaction }) },
    });
  };
  const { appends, positions } = play(
    t,
    polls([[at(1, inside())], bad(2), [at(3, inside())], bad(4, end())]),
    TOLERANT,
  );
  await until('it is there', () => appends.length > 0);
  assert.deepEqual(appends[0], { values: ['1', '3'], ends: [false, true], words: [{ n: 4 }] });
  assert.deepEqual(positions, [{ n: 4 }]);
});

test('of a transaction that is open when the task stops nothing is appended, and its position stays before it', async (t) => {
  let polled = 0;
  const { ended, ending, appends, told } = play(t, async () => {
    polled += 1;
    if (polled === 1) return [at(1), at(2, inside()), at(3, inside())];
    await new Promise((resolve) => setTimeout(resolve, 1));
    return [];
  });
  await until('what comes before it is there', () => appends.length === 1);
  ending.abort();
  await ended;
  assert.deepEqual(appends, [{ values: ['1'], ends: [false], words: [{ n: 1 }] }]);
  assert.match(told.join(), /ends within a transaction: nothing of it was appended .*"records":2/);
});

test('a transaction that is open in a pause is held, and ends after it', async (t) => {
  let polled = 0;
  const { gate, said, appends } = play(t, async () => {
    polled += 1;
    if (polled === 1) {
      gate.setTarget('PAUSED');
      return [at(1, inside())];
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
    return polled === 2 ? [at(2, end())] : [];
  });
  await until('it is paused', () => said.includes('paused'));
  assert.equal(appends.length, 0);
  gate.setTarget('RUNNING');
  await until('it is there', () => appends.length === 1);
  assert.deepEqual(appends[0]?.values, ['1', '2']);
});

test('a transaction that is open for long is said in the status until it ends', async (t) => {
  const notes: (string | null)[] = [];
  let now = 1_700_000_000_000;
  let finish = false;
  const { appends } = play(
    t,
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      now += 11_000;
      if (finish) return [at(2, end())];
      return now === 1_700_000_011_000 ? [at(1, inside())] : [];
    },
    {
      transactions: {
        now: () => now,
        note: (code, message) => {
          assert.equal(code, 'TRANSACTION_OPEN');
          notes.push(message);
          if (message !== null) finish = true;
        },
      },
    },
  );
  await until('it has ended', () => appends.length > 0);
  await until('the note is taken back', () => notes.at(-1) === null && notes.length > 2);
  const said = notes.find((note) => note !== null);
  assert.match(
    said ?? '',
    /^transaction a of \{"part":"one"\} is open since 2023-11-14T22:13:31.000Z, with 1 records: 201 bytes wait/,
  );
});

const part = (records: number, n: number): TransactionPart => ({
  partition: { part: 'one' },
  id: 'a',
  records,
  position: { n },
});

test('what is too large to be held is appended in parts, and the position stays before it until its end', async (t) => {
  const records = Array.from({ length: 9 }, (_, i) => at(i + 1, i === 8 ? end() : inside()));
  const afterAppend = (count: number, given: readonly SourceRecord[]) => async () => {
    await until(`there were ${count} appends`, () => appends.length === count);
    return given;
  };
  const { appends } = play(
    t,
    polls([[at(0)], afterAppend(1, records.slice(0, 6)), afterAppend(2, records.slice(6))]),
    { transactions: { maxBytes: 1000 } },
  );
  await until('all of it is there', () => appends.flatMap(({ values }) => values).length === 10);
  assert.deepEqual(
    appends.flatMap(({ values }) => values),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(String),
  );
  assert.deepEqual(
    appends.flatMap(({ words }) => words),
    [{ n: 0 }, { part: part(6, 6) }, { n: 9 }],
  );
});

test('what stands in the log of a transaction is passed over when it is read again', async (t) => {
  const records = Array.from({ length: 6 }, (_, i) => at(i + 1, i === 5 ? end() : inside()));
  const { appends } = play(t, polls([records.slice(0, 2), records.slice(2)]), {
    transactions: { parts: [part(4, 4)] },
  });
  await until('the rest of it is there', () => appends.length > 0);
  assert.deepEqual(appends, [{ values: ['5', '6'], ends: [false, true], words: [{ n: 6 }] }]);
});

for (const [what, records] of [
  ['shorter', [at(1, inside()), at(2, end())]],
  ['shorter, without a word of its end', [at(1, inside()), at(2, inside()), at(3)]],
  ['another', [at(1, inside()), at(2, inside()), at(3, inside()), at(5, inside())]],
] as const) {
  test(`a transaction that is ${what} when it is read again is appended whole after a start, rather than lost in part`, async (t) => {
    const { ended, positions, appends } = play(t, polls([records]), {
      transactions: { parts: [part(4, 4)] },
    });
    await assert.rejects(ended, (error) => {
      assert.ok(error instanceof ConnectError && !(error instanceof DataError));
      assert.equal(error.code, 'TRANSACTION_CHANGED');
      return true;
    });
    // Nothing of it counts at the next start.
    assert.match(JSON.stringify(positions.at(-1)), /"records":0/);
    assert.deepEqual(
      appends.flatMap(({ values }) => values),
      [],
    );
  });
}

test('a transaction that stands in part and does not come again is told, and the source goes on', async (t) => {
  const { appends, warned } = play(t, polls([[at(9, inside('b')), at(10, end('b'))]]), {
    transactions: { parts: [part(4, 4)] },
  });
  await until('it goes on', () => appends.length === 1);
  assert.deepEqual(appends[0]?.values, ['9', '10']);
  assert.match(warned.join(), /stands in the log in part, and its source does not make it again/);
});

test('a partition that is retired within a transaction ends it; where reading begins waits for its end', async (t) => {
  const { appends, begun } = play(
    t,
    polls([
      [at(1, inside())],
      () => {
        begun.push({ partition: { part: 'one' }, position: { n: 'begins' } });
        return [at(7, null, 'two')];
      },
      () => {
        begun.push({ partition: { part: 'one' }, position: null });
        return [];
      },
    ]),
  );
  await until('it is retired', () => appends.flatMap(({ words }) => words).includes(null));
  const words = appends.flatMap((append) => append.words);
  assert.deepEqual(
    words.filter((word) => word !== null),
    [{ n: 7 }],
  );
  assert.deepEqual(
    appends.flatMap(({ values }) => values),
    ['7', '1'],
  );
});

test('a mark that is none is refused by name', async (t) => {
  const { ended } = play(t, () => [{ ...at(1), transaction: { id: '', end: true } }]);
  await assert.rejects(ended, /\[0\]\.transaction: it must be \{ id, end \}/);
});
