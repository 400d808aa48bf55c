import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { LogError, type ReadResult } from '#troupe/log/log.js';
import { readQueue } from '#troupe/log/rocketmq/queue-read.js';
import { storedMessage } from '../../support/stored-messages.js';

const PROPERTIES = Buffer.alloc(0);
const COMPRESSED = 1;
/** A broker answers this many at most. */
const ANSWER = 4;

/** Of a queue that has these messages. */
function read(messages: readonly Buffer[], offset: number, maxBytes = 1 << 20): Promise<ReadResult> {
  const end = messages.length;
  return readQueue({
    queue: 'topic "orders", queue 3',
    offset,
    waitMs: 0,
    maxBytes,
    maxRecords: 100,
    pull: (from) => {
      const body = Buffer.concat(messages.slice(from, from + ANSWER));
      const nextOffset = Math.min(end, from + ANSWER);
      return Promise.resolve({ status: 'FOUND', body, nextOffset, minOffset: 0, maxOffset: end });
    },
  });
}

function good(queueOffset: number): Buffer {
  return storedMessage({ queueOffset, body: Buffer.from('x'), properties: PROPERTIES });
}

function bad(queueOffset: number): Buffer {
  const body = Buffer.from('not zlib');
  return storedMessage({ queueOffset, body, properties: PROPERTIES, sysFlag: COMPRESSED });
}

test('a message that cannot be read holds up none of those in front of it, wherever it stands in an answer', async () => {
  for (const at of [1, 3, 4, 6]) {
    const messages = Array.from({ length: 10 }, (_, n) => (n === at ? bad(n) : good(n)));
    const { batches, nextOffset, endOffset } = await read(messages, 0);
    assert.equal(nextOffset, at);
    assert.equal(endOffset, 10);
    assert.equal(
      batches.reduce((sum, { batch }) => sum + batch.count, 0),
      at,
    );
    await assert.rejects(read(messages, at), (error) => {
      assert.ok(error instanceof LogError && error.code === 'LOG_CORRUPT');
      assert.match(error.message, new RegExp(`topic "orders", queue 3.*queue offset ${at}: `));
      return true;
    });
    assert.equal((await read(messages, at + 1)).nextOffset, 10);
  }
});

test('what does not fit into a read is not decompressed for it', async () => {
  const body = deflateSync(Buffer.alloc(10_000));
  const messages = [0, 1].map((queueOffset) =>
    storedMessage({ queueOffset, body, properties: PROPERTIES, sysFlag: COMPRESSED }),
  );
  const { nextOffset } = await read([...messages, bad(2), good(3)], 0, 15_000);
  assert.equal(nextOffset, 1);
});
