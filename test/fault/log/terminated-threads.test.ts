import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

import type { ChannelEnd } from '#troupe/actors/kernel/channel.js';
import type { Log } from '#troupe/log/log.js';
import { LogError } from '#troupe/log/log.js';

import { ALL, batchOf, readTexts } from '../../conformance/log-batches.js';
import { clientOf, startLogThread } from '../../conformance/log-thread.js';
import { random } from '../../support/random.js';
import { until } from '../../support/wait.js';
import { KEPT, newFolder } from './support.js';

const ROUNDS = 15;

/** A client's thread: appends and reads for ever. */
async function work(log: Log): Promise<never> {
  const value = 'x'.repeat(20_000);
  const read = async (): Promise<never> => {
    for (let offset = 0; ;)
      offset = (
        await log.read({ topic: 'busy', queue: 0, offset, maxBytes: 1e6, maxRecords: 100, waitMs: 1000 })
      ).nextOffset;
  };
  const append = async (): Promise<never> => {
    for (;;) await log.append({ entries: [{ topic: 'busy', queue: 0, batch: batchOf([value, value]) }] });
  };
  const idle = (): Promise<unknown> =>
    log.read({ topic: 'quiet', queue: 0, offset: 0, ...ALL, waitMs: 600_000 });
  return Promise.race([read(), append(), append(), idle().then(() => Promise.reject(new Error('woke')))]);
}

async function register(): Promise<void> {
  test('clients’ threads terminated in the middle of reads and appends: the others go on, nothing stays behind', async (t) => {
    const { seed, next } = random();
    t.diagnostic(`seed ${seed}`);
    const thread = await startLogThread({ dir: newFolder(t) });
    t.after(() => thread.stop());
    const log = thread.client();
    for (const topic of ['busy', 'quiet', 'own']) await log.createTopic(topic, { queues: 1, ...KEPT });
    for (let round = 0; round < ROUNDS; round++) {
      const end = thread.channel();
      const victim = new Worker(new URL(import.meta.url), {
        workerData: { victim: end },
        transferList: [end.port],
      });
      const before = (await log.ranges('busy'))[0]?.endOffset ?? 0;
      await until(
        'the thread appends',
        async () => ((await log.ranges('busy'))[0]?.endOffset ?? 0) > before + next(40),
      );
      await victim.terminate();
      assert.deepEqual(
        await log.append({ entries: [{ topic: 'own', queue: 0, batch: batchOf([`${round}`]) }] }),
        [round],
      );
    }
    await until(
      'the reads of dead threads are given up',
      async () => (await log.figures()).parkedReads === 0,
    );
    assert.equal((await readTexts(log, 'own')).length, ROUNDS);
    const busy = await readTexts(log, 'busy');
    assert.equal(busy.length, (await log.ranges('busy'))[0]?.endOffset);
  });

  test('the log’s own thread terminated under load: asks fail as LOG_UNAVAILABLE, the next one has all that was acknowledged', async (t) => {
    const { seed, next } = random();
    t.diagnostic(`seed ${seed}`);
    const dir = newFolder(t);
    const acknowledged: [string, number][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const thread = await startLogThread({ dir });
      const log = thread.client();
      for (const topic of ['data', 'position']) await log.createTopic(topic, { queues: 1, ...KEPT });
      let count = 0;
      const append = async (writer: number): Promise<void> => {
        for (;;) {
          const text = `${round}:${writer}:${count++}:${'x'.repeat(5000)}`;
          const both = ['data', 'position'].map((topic) => ({ topic, queue: 0, batch: batchOf([text]) }));
          const [offset] = await log.append({ entries: both });
          acknowledged.push([text, offset ?? -1]);
        }
      };
      const before = acknowledged.length;
      const enough = 1 + next(50);
      const ends = Promise.allSettled([append(0), append(1), append(2)]);
      await until('appends are acknowledged', () => acknowledged.length >= before + enough);
      await thread.terminate();
      for (const end of await ends) {
        assert.ok(
          end.status === 'rejected' &&
            end.reason instanceof LogError &&
            end.reason.code === 'LOG_UNAVAILABLE',
          JSON.stringify(end),
        );
      }
    }
    const thread = await startLogThread({ dir });
    t.after(() => thread.stop());
    const texts = await readTexts(thread.client(), 'data');
    for (const [text, offset] of acknowledged) assert.equal(texts[offset], text);
    assert.deepEqual(await readTexts(thread.client(), 'position'), texts, 'half of an append was committed');
  });
}

const data = workerData as { victim?: ChannelEnd } | null;
if (isMainThread) await register();
else if (data?.victim !== undefined && parentPort !== null) await work(clientOf(data.victim));
