/** What every adapter of the log must do. Call `logConformance` from a test file of the adapter. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import fc from 'fast-check';

import { readWindow } from '#troupe/actors/config-sync/topic-window.js';
import type { WindowFrom } from '#troupe/actors/config-sync/protocol.js';
import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import { LogError, MAX_BATCH_BYTES } from '#troupe/log/log.js';
import type { Log, LogErrorCode, QueueEntry } from '#troupe/log/log.js';

import { until } from '../support/wait.js';
import { anyRecord, readRecords } from './any-record.js';
import { ALL, batchOf, readTexts } from './log-batches.js';
import { LogModel, logCommands } from './log-model.js';

export interface LogUnderTest {
  readonly log: Log;
  /** Closes and opens again, with the same data. */
  reopen(): Promise<Log>;
  /** Another client of the same log, as another thread or process would have. */
  another(): Promise<Log>;
  close(): Promise<void>;
}

const KEPT = { retentionMs: null, retentionBytes: null } as const;

export function logConformance(name: string, open: () => Promise<LogUnderTest>): void {
  describe(name, () => {
    let target: LogUnderTest;
    let log: Log;
    let topics = 0;
    before(async () => {
      target = await open();
      log = target.log;
    });
    after(() => target.close());

    async function newTopic(queues = 1): Promise<string> {
      const topic = `topic-${++topics}`;
      await log.createTopic(topic, { queues, ...KEPT });
      return topic;
    }

    function entry(topic: string, ...values: readonly (string | null)[]): QueueEntry {
      return { topic, queue: 0, batch: batchOf(values) };
    }

    test('does what the model does, whatever the order of calls and however often it is reopened', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.commands(logCommands(log.capabilities), { maxCommands: 40, size: 'max' }),
          async (commands) => {
            const fresh = await open();
            try {
              await fc.asyncModelRun(
                () => ({ model: new LogModel(), real: { target: fresh, log: fresh.log } }),
                commands,
              );
            } finally {
              await fresh.close();
            }
          },
        ),
        { numRuns: 15 },
      );
    });

    test('a topic keeps its id for as long as it lives, and one made anew under its name has another', async () => {
      const topic = await newTopic();
      const created = await log.describeTopic(topic);
      const other = await target.another();
      assert.deepEqual(await other.createTopic(topic, { queues: 1, ...KEPT }), created);
      log = await target.reopen();
      assert.deepEqual(await log.describeTopic(topic), created);
      assert.equal((await log.listTopics()).find(({ name }) => name === topic)?.id, created?.id);
      await log.deleteTopic(topic);
      const anew = await log.createTopic(topic, { queues: 1, ...KEPT });
      if (created?.id === null) assert.equal(anew.id, null);
      else assert.notEqual(anew.id, created?.id);
    });

    test('an append of which one entry is refused appends nothing', async () => {
      const topic = await newTopic();
      const append = log.append({ entries: [entry(topic, 'a'), entry('no-such-topic', 'b')] });
      await assertCode(append, 'LOG_UNKNOWN_TOPIC');
      assert.deepEqual(await log.ranges(topic), [{ queue: 0, startOffset: 0, endOffset: 0 }]);
    });

    test('a refused append leaves its batches fit for another try', async () => {
      const topic = await newTopic();
      const again = entry(topic, 'again');
      const request = { entries: [again, again, entry('no-such-topic-yet', 'b')] };
      await assertCode(log.append(request), 'LOG_UNKNOWN_TOPIC');
      await log.createTopic('no-such-topic-yet', { queues: 1, ...KEPT });
      assert.deepEqual(await log.append(request), [0, 1, 0]);
      assert.deepEqual(await readTexts(log, topic), ['again', 'again']);
    });

    test('null and empty values, keys and headers stay what they are', async () => {
      const topic = await newTopic();
      await log.append({ entries: [entry(topic, null, '', 'x')] });
      assert.deepEqual(await readTexts(log, topic), [null, '', 'x']);
    });

    test('what a read returned is the caller’s: the next read is not touched by what becomes of it', async () => {
      const topic = await newTopic();
      await log.append({ entries: [entry(topic, 'mine')] });
      const read = await log.read({ topic, queue: 0, offset: 0, ...ALL, waitMs: 0 });
      for (const { batch } of read.batches) batch.bytes.fill(0);
      assert.deepEqual(await readTexts(log, topic), ['mine']);
      assert.deepEqual(await readTexts(log, topic), ['mine']);
    });

    test('the largest record goes through, larger than all caps of the read', async () => {
      const topic = await newTopic();
      const big = 'x'.repeat(log.capabilities.maxRecordBytes);
      await log.append({ entries: [entry(topic, 'before'), entry(topic, big), entry(topic, 'behind')] });
      const read = await log.read({ topic, queue: 0, offset: 1, maxBytes: 1000, maxRecords: 1, waitMs: 0 });
      assert.equal(read.batches.length, 1);
      assert.equal(read.nextOffset, 2);
      assert.equal(read.batches[0]?.batch.bytes.length, batchOf([big]).bytes.length);
    });

    test('a record larger than the largest is refused, and nothing of its append is there', async () => {
      const topic = await newTopic();
      const tooBig = 'x'.repeat(log.capabilities.maxRecordBytes + 64 * 1024);
      await assertCode(
        (async () => log.append({ entries: [entry(topic, 'small'), entry(topic, 'small', tooBig)] }))(),
        'LOG_BAD_REQUEST',
      );
      assert.deepEqual(await log.ranges(topic), [{ queue: 0, startOffset: 0, endOffset: 0 }]);
    });

    test('a batch of 24 MB arrives whole and in order', async () => {
      const topic = await newTopic();
      const values = Array.from({ length: 24 * 1024 }, (_, i) => `${i}`.padStart(1000, '-'));
      assert.deepEqual(await log.append({ entries: [entry(topic, ...values), entry(topic, 'next')] }), [
        0,
        values.length,
      ]);
      assert.deepEqual(await readTexts(log, topic), [...values, 'next']);
    });

    test('keys, values, timestamps and headers come back as they were, whatever is in them', async () => {
      const topic = await newTopic();
      await fc.assert(
        fc.asyncProperty(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), async (records) => {
          const builder = new BatchBuilder();
          for (const { key, value, timestamp, headers } of records)
            builder.add(key, value, timestamp, headers);
          const [base] = await log.append({ entries: [{ topic, queue: 0, batch: builder.build() }] });
          assert.deepEqual(await readRecords(log, topic, base ?? -1), records);
        }),
        { numRuns: 50 },
      );
    });

    test('a window shows what was asked for, from wherever, and goes on where it ended', async () => {
      const topic = await newTopic(2);
      const append = async (queue: number, first: number, count: number): Promise<void> => {
        const builder = new BatchBuilder();
        for (let i = first; i < first + count; i += 1)
          builder.add(`k${i}`, `v${i}`, 1000 * i, [['h', Buffer.from('1')]]);
        await log.append({ entries: [{ topic, queue, batch: builder.build() }] });
      };
      for (const [first, count] of [
        [0, 3],
        [3, 1],
        [4, 6],
      ] as const)
        await append(0, first, count);
      await append(1, 50, 2);
      const signal = new AbortController().signal;
      const look = async (queue: number | null, from: WindowFrom, limit: number): Promise<unknown[]> => {
        const { runs, queues, stopped } = await readWindow(log, { topic, queue, from, limit }, signal);
        assert.equal(stopped, null);
        const found = runs.flatMap(({ baseOffset, bytes, queue: at }) => {
          const reader = BatchReader.open(bytes);
          return Array.from({ length: reader.count }, (_, i) => {
            assert.equal(reader.headers(i).length, 1);
            return `${at}/${baseOffset + i} ${String(reader.keyText(i))}`;
          });
        });
        return [found, queues.map((each) => [each.queue, each.from, each.next, each.endOffset])];
      };
      assert.deepEqual(await look(0, { kind: 'latest' }, 2), [['0/8 k8', '0/9 k9'], [[0, 8, 10, 10]]]);
      assert.deepEqual(await look(0, { kind: 'earliest' }, 2), [['0/0 k0', '0/1 k1'], [[0, 0, 2, 10]]]);
      assert.deepEqual(await look(0, { kind: 'offset', offset: 2 }, 3), [
        ['0/2 k2', '0/3 k3', '0/4 k4'],
        [[0, 2, 5, 10]],
      ]);
      assert.deepEqual(await look(0, { kind: 'offset', offset: 99 }, 3), [[], [[0, 10, 10, 10]]]);
      assert.deepEqual(await look(0, { kind: 'timestamp', timestamp: 3500 }, 1), [
        ['0/4 k4'],
        [[0, 4, 5, 10]],
      ]);
      assert.deepEqual(await look(0, { kind: 'timestamp', timestamp: 99_999 }, 1), [[], [[0, 10, 10, 10]]]);
      assert.deepEqual(await look(null, { kind: 'latest' }, 4), [
        ['0/8 k8', '0/9 k9', '1/0 k50', '1/1 k51'],
        [
          [0, 8, 10, 10],
          [1, 0, 2, 2],
        ],
      ]);
      const offsets = new Map([[0, 9]]);
      assert.deepEqual(await look(null, { kind: 'offsets', offsets }, 2), [
        ['0/9 k9', '1/0 k50'],
        [
          [0, 9, 10, 10],
          [1, 0, 1, 2],
        ],
      ]);
      await assert.rejects(look(7, { kind: 'latest' }, 1), { code: 'QUEUE_NOT_FOUND' });
    });

    test('a window of large records holds no more than its bytes, and one record in any case', async () => {
      const topic = await newTopic();
      const large = 'x'.repeat(600_000);
      for (let i = 0; i < 3; i += 1) await log.append({ entries: [entry(topic, large)] });
      const signal = new AbortController().signal;
      const request = { topic, queue: 0, from: { kind: 'earliest' }, limit: 10 } as const;
      const { runs, queues, stopped } = await readWindow(log, request, signal);
      assert.deepEqual([runs.length, queues[0]?.next, stopped], [1, 1, 'BYTES']);
      const late = await readWindow(
        log,
        request,
        signal,
        (() => {
          let now = 0;
          return () => (now += 20_000);
        })(),
      );
      assert.deepEqual([late.runs.length, late.stopped], [0, 'TIME']);
    });

    test('an entry twice in one append stands there twice', async () => {
      const topic = await newTopic();
      const twice = entry(topic, 'same');
      assert.deepEqual(await log.append({ entries: [twice, twice] }), [0, 1]);
      assert.deepEqual(await readTexts(log, topic), ['same', 'same']);
    });

    test('a waiting read wakes when another client appends', async () => {
      const topic = await newTopic();
      const other = await target.another();
      const waiting = log.read({ topic, queue: 0, offset: 0, ...ALL, waitMs: 30_000 });
      await other.append({ entries: [entry(topic, 'news')] });
      assert.equal((await waiting).batches[0]?.batch.count, 1);
      await other.close();
    });

    test('a read that waits in vain answers with nothing, and where the queue stands', async () => {
      const topic = await newTopic();
      await log.append({ entries: [entry(topic, 'a')] });
      assert.deepEqual(await log.read({ topic, queue: 0, offset: 1, ...ALL, waitMs: 20 }), {
        batches: [],
        nextOffset: 1,
        startOffset: 0,
        endOffset: 1,
      });
    });

    test('an aborted read rejects with the reason of its signal; others go on waiting', async () => {
      const topic = await newTopic();
      const controller = new AbortController();
      const aborted = log.read({
        topic,
        queue: 0,
        offset: 0,
        ...ALL,
        waitMs: 30_000,
        signal: controller.signal,
      });
      const other = log.read({ topic, queue: 0, offset: 0, ...ALL, waitMs: 30_000 });
      const reason = new Error('enough');
      controller.abort(reason);
      await assert.rejects(aborted, (error) => error === reason);
      await log.append({ entries: [entry(topic, 'a')] });
      assert.equal((await other).nextOffset, 1);
    });

    test('a read that waits on a topic ends when the topic is deleted', async () => {
      const topic = await newTopic();
      const waiting = assertCode(
        log.read({ topic, queue: 0, offset: 0, ...ALL, waitMs: 30_000 }),
        'LOG_UNKNOWN_TOPIC',
      );
      await log.deleteTopic(topic);
      await waiting;
    });

    test('a topic created again after its deletion is empty, and no group has read it', async () => {
      const topic = await newTopic();
      await log.append({ entries: [entry(topic, 'old')] });
      await log.commitOffsets('reader', [{ topic, queue: 0, offset: 1 }]);
      await log.deleteTopic(topic);
      assert.equal(await log.describeTopic(topic), null);
      await log.createTopic(topic, { queues: 1, ...KEPT });
      assert.deepEqual(await log.ranges(topic), [{ queue: 0, startOffset: 0, endOffset: 0 }]);
      assert.deepEqual(
        (await log.committedOffsets('reader')).filter((offset) => offset.topic === topic),
        [],
      );
    });

    test('creating what exists leaves its settings alone', async () => {
      const topic = await newTopic(3);
      assert.equal(
        (await log.createTopic(topic, { queues: 1, retentionMs: 5, retentionBytes: 5 })).queues,
        3,
      );
      assert.equal((await log.describeTopic(topic))?.retentionMs, null);
    });

    test('several writers on one queue: each record once, no gaps, each in its own order', async () => {
      const topic = await newTopic();
      const clients = await Promise.all([1, 2, 3].map(() => target.another()));
      const offsets: number[] = [];
      await Promise.all(
        [...clients, log].map(async (client, writer) => {
          for (let i = 0; i < 40; i++) {
            const [base] = await client.append({
              entries: [entry(topic, `${writer}:${2 * i}`, `${writer}:${2 * i + 1}`)],
            });
            offsets.push(base ?? -1);
          }
        }),
      );
      assert.deepEqual(
        offsets.sort((a, b) => a - b),
        Array.from({ length: 160 }, (_, i) => 2 * i),
      );
      await until('all is seen', async () => (await log.ranges(topic))[0]?.endOffset === 320);
      const texts = await readTexts(log, topic);
      for (let writer = 0; writer < 4; writer++) {
        const own = texts.filter((text) => text?.startsWith(`${writer}:`));
        assert.deepEqual(
          own,
          Array.from({ length: 80 }, (_, i) => `${writer}:${i}`),
        );
      }
      await Promise.all(clients.map((client) => client.close()));
    });

    test('what cannot be asked is refused with a code and changes nothing', async () => {
      const topic = await newTopic();
      const read = { topic, queue: 0, offset: 0, ...ALL, waitMs: 0 };
      const refusals: [LogErrorCode, () => Promise<unknown>][] = [
        ['LOG_BAD_REQUEST', () => log.append({ entries: [] })],
        [
          'LOG_BAD_REQUEST',
          () => log.append({ entries: [{ topic, queue: 0, batch: { bytes: new Uint8Array(0), count: 0 } }] }),
        ],
        [
          'LOG_BAD_REQUEST',
          () =>
            log.append({
              entries: [{ topic, queue: 0, batch: { bytes: new Uint8Array(MAX_BATCH_BYTES + 1), count: 1 } }],
            }),
        ],
        ['LOG_BAD_REQUEST', () => log.read({ ...read, offset: 1 })],
        ['LOG_BAD_REQUEST', () => log.read({ ...read, offset: -1 })],
        ['LOG_BAD_REQUEST', () => log.read({ ...read, maxBytes: 0 })],
        ['LOG_BAD_REQUEST', () => log.createTopic('', { queues: 1, ...KEPT })],
        ['LOG_BAD_REQUEST', () => log.createTopic('../up', { queues: 1, ...KEPT })],
        ['LOG_BAD_REQUEST', () => log.createTopic('none', { queues: 0, ...KEPT })],
        ['LOG_BAD_REQUEST', () => log.commitOffsets('bad\u0000name', [{ topic, queue: 0, offset: 0 }])],
        ['LOG_BAD_REQUEST', () => log.commitOffsets('g', [{ topic, queue: 0, offset: 0.5 }])],
        ['LOG_UNKNOWN_QUEUE', () => log.read({ ...read, queue: 1 })],
        ['LOG_UNKNOWN_QUEUE', () => log.append({ entries: [{ ...entry(topic, 'x'), queue: 1 }] })],
        ['LOG_UNKNOWN_QUEUE', () => log.commitOffsets('g', [{ topic, queue: 7, offset: 0 }])],
        ['LOG_UNKNOWN_TOPIC', () => log.read({ ...read, topic: 'nope' })],
        ['LOG_UNKNOWN_TOPIC', () => log.ranges('nope')],
        ['LOG_UNKNOWN_TOPIC', () => log.deleteTopic('nope')],
      ];
      for (const [code, call] of refusals) await assertCode(call(), code);
      assert.deepEqual(await log.ranges(topic), [{ queue: 0, startOffset: 0, endOffset: 0 }]);
    });

    test('group names may be what connectors are called', async () => {
      const topic = await newTopic();
      for (const group of ['with space/and slash', 'ünïcödé 群', '__proto__', 'x'.repeat(500)]) {
        await log.commitOffsets(group, [{ topic, queue: 0, offset: 7 }]);
        assert.deepEqual(await log.committedOffsets(group), [{ topic, queue: 0, offset: 7 }]);
        await log.deleteGroup(group);
        assert.ok(!(await log.listGroups()).includes(group));
      }
    });

    test('a closed client refuses everything; the log goes on for others', async () => {
      const topic = await newTopic();
      const other = await target.another();
      const waiting = assertCode(
        other.read({ topic, queue: 0, offset: 0, ...ALL, waitMs: 30_000 }),
        'LOG_CLOSED',
      );
      await other.close();
      await waiting;
      await assertCode(other.append({ entries: [entry(topic, 'a')] }), 'LOG_CLOSED');
      assert.deepEqual(await log.append({ entries: [entry(topic, 'a')] }), [0]);
    });
  });
}

export async function assertCode(promise: Promise<unknown>, code: LogErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof LogError, `not a LogError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    return true;
  });
}
