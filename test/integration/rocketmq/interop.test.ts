import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as zlib from 'node:zlib';

import { BatchBuilder } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { openRocketMqLog } from '#troupe/log/rocketmq/client.js';

import { readRecords } from '../../conformance/any-record.js';
import {
  requireService,
  rocketmqAvailable,
  ROCKETMQ_VERSIONS,
  startRocketMq,
  type RocketMq,
} from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';
import { runJava } from './java-client.js';

const BORN = 1_700_000_000_000;
const SETTINGS = { queues: 1, retentionMs: null, retentionBytes: null };

interface JavaMessage {
  readonly offset: number;
  readonly keys: string | null;
  readonly tags: string | null;
  readonly bornTimestamp: number;
  readonly body: string;
  readonly properties: Readonly<Record<string, string>>;
}

for (const version of Object.values(ROCKETMQ_VERSIONS)) {
  describe(
    `with the Java client and tools of RocketMQ ${version}`,
    {
      skip: requireService(rocketmqAvailable(version)),
    },
    () => {
      let rocketmq: RocketMq;
      let log: Log;
      before(async () => {
        rocketmq = await startRocketMq({ version, proxy: 'none' });
        log = openRocketMqLog(
          {
            namesrvAddr: [rocketmq.namesrvAddr],
            endpoints: null,
            cluster: null,
            acl: null,
            tls: null,
            maxMessageBytes: 4 << 20,
          },
          () => undefined,
        );
      });
      after(async () => {
        await log.close();
        await rocketmq.stop();
      });

      test('what a Java producer sends is read: keys, tags, properties, compressed, batched, delayed, in transactions', async () => {
        await log.createTopic('from-java', SETTINGS);
        const startedAt = Date.now();
        await runJava(rocketmq, version, 'produce', 'from-java');
        const records = await until('all were delivered', async () => {
          const found = await readRecords(log, 'from-java', 0);
          return found.length >= 7 ? found : null;
        });
        const values = records.map(({ value }) => Buffer.from(value ?? []).toString());
        assert.deepEqual(values.slice(0, 5), [
          'plain body',
          'compressed by ZLIB '.repeat(1000),
          'compressed by LZ4 '.repeat(1000),
          'batch 1',
          'batch 2',
        ]);
        assert.deepEqual(values.slice(5).sort(), ['committed', 'delayed']);
        const [first] = records;
        assert.equal(Buffer.from(first?.key ?? []).toString(), 'key-1 key-2');
        assert.deepEqual(
          new Map(first?.headers.map(([name, value]) => [name, Buffer.from(value).toString()])),
          new Map([
            ['TAGS', 'TagA'],
            ['color', 'grün'],
            ['a=b', 'c\nd'],
          ]),
        );
        for (const { timestamp, headers } of records.slice(1)) {
          assert.ok(timestamp >= startedAt && timestamp <= Date.now());
          assert.deepEqual(headers, []);
        }
      });

      test('a body compressed with zstd is read where this Node can, else refused with what to do', async () => {
        await log.createTopic('zstd', SETTINGS);
        await runJava(rocketmq, version, 'produce-zstd', 'zstd');
        const read = readRecords(log, 'zstd', 0);
        if ('zstdDecompressSync' in zlib) {
          const [record] = await read;
          assert.equal(Buffer.from(record?.value ?? []).toString(), 'compressed by ZSTD '.repeat(1000));
        } else await assert.rejects(read, /run Node 22\.15 or later, or let its producer use ZLIB or LZ4/);
      });

      test('what is appended here a Java consumer reads, and sees the marks of what RocketMQ has no room for', async () => {
        await log.createTopic('to-java', SETTINGS);
        const builder = new BatchBuilder();
        builder.add('order 7', 'text: grün', BORN, [
          ['color', Buffer.from('red')],
          ['TAGS', Buffer.from('paid')],
          ['UNIQ_KEY', Buffer.from('mine')],
        ]);
        builder.add(Buffer.from([0xff, 1]), Buffer.from([0, 1, 2, 0xff]), BORN + 5);
        builder.add('gone', null, BORN);
        builder.add(null, '', BORN);
        await log.append({ entries: [{ topic: 'to-java', queue: 0, batch: builder.build() }] });
        const lines = await runJava(rocketmq, version, 'consume', 'to-java', '4');
        const messages = lines.map((line) => JSON.parse(line) as JavaMessage);
        const [text, binary, tombstone, empty] = messages;
        assert.deepEqual(
          messages.map(({ offset }) => offset),
          [0, 1, 2, 3],
        );
        assert.equal(Buffer.from(text?.body ?? '', 'base64').toString(), 'text: grün');
        assert.equal(text?.keys, 'order 7');
        assert.equal(text.tags, 'paid');
        assert.equal(text.bornTimestamp, BORN);
        assert.equal(text.properties['color'], 'red');
        assert.notEqual(text.properties['UNIQ_KEY'], 'mine');
        assert.equal(text.properties['TROUPE_HEADER.2'], '.VU5JUV9LRVk.bWluZQ');
        assert.deepEqual([...Buffer.from(binary?.body ?? '', 'base64')], [0, 1, 2, 0xff]);
        assert.equal(binary?.properties['TROUPE_KEY'], '._wE');
        assert.equal(binary.properties['TROUPE_TIME'], String(BORN + 5));
        assert.equal(tombstone?.keys, 'gone');
        assert.equal(tombstone.properties['TROUPE_VALUE'], 'null');
        assert.equal(empty?.properties['TROUPE_VALUE'], 'empty');
      });

      test('mqadmin shows topic, messages, group and lag as they are', async () => {
        await log.createTopic('seen', { ...SETTINGS, queues: 2 });
        const batch = (): ReturnType<BatchBuilder['build']> => {
          const builder = new BatchBuilder();
          for (let i = 0; i < 10; i += 1) builder.add(`key-${i}`, `value-${i}`, BORN);
          return builder.build();
        };
        await log.append({ entries: [0, 1].map((queue) => ({ topic: 'seen', queue, batch: batch() })) });
        await log.commitOffsets('connect-my sink', [
          { topic: 'seen', queue: 0, offset: 10 },
          { topic: 'seen', queue: 1, offset: 4 },
        ]);
        await log.ranges('seen');
        const status = rowsOf(await rocketmq.admin(['topicStatus', '-t', 'seen']), 'broker-a');
        assert.deepEqual(
          status.map(([, queue, min, max]) => [queue, min, max]),
          [
            ['0', '0', '10'],
            ['1', '0', '10'],
          ],
        );
        const progress = await rocketmq.admin(['consumerProgress', '-g', 'connect-my%20sink']);
        assert.deepEqual(
          rowsOf(progress, 'seen').map(([, , queue, broker, committed]) => [queue, broker, committed]),
          [
            ['0', '10', '10'],
            ['1', '10', '4'],
          ],
        );
        assert.match(progress, /Diff Total: 6/);
        const message = await rocketmq.admin([
          'queryMsgByOffset',
          '-t',
          'seen',
          '-b',
          'broker-a',
          '-i',
          '1',
          '-o',
          '4',
        ]);
        assert.match(message, /key-4/);
        assert.match(await rocketmq.admin(['queryMsgByKey', '-t', 'seen', '-k', 'key-9']), /[0-9A-F]{32}/);
        assert.match(await rocketmq.admin(['printMsg', '-t', 'seen']), /value-0/);
      });
    },
  );
}

/** The cells of the lines that begin with a word. */
function rowsOf(table: string, word: string): string[][] {
  return table
    .split('\n')
    .filter((line) => line.startsWith(word))
    .map((line) => line.trim().split(/\s+/));
}
