import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withQueuesToCome } from '#troupe/actors/task/sink/queues-to-come.js';
import { until } from '../../support/wait.js';

const ROUNDS = 5;

test('a sink whose topics grow again and again keeps nothing of what it was before', async () => {
  const collect = collector();
  const stop = new AbortController();
  const begun: WeakRef<AbortSignal>[] = [];
  const ignore = (): void => undefined;
  const { done } = await withQueuesToCome(
    {
      context: { signal: stop.signal, log: { debug: ignore, info: ignore, warn: ignore } },
      report: { stalled: ignore },
    },
    {
      intervalMs: 1,
      topics: {
        // It has one queue more each time, until it has grown often enough.
        look: () =>
          Promise.resolve([
            {
              name: 't',
              id: null,
              queues: Math.min(begun.length + 1, ROUNDS),
              retentionMs: null,
              retentionBytes: null,
            },
          ]),
        missing: () => [],
        own: (topics) =>
          topics.flatMap(({ name, queues }) =>
            Array.from({ length: queues }, (_, queue) => ({ topic: name, queue })),
          ),
      },
      start: (signal) => {
        begun.push(new WeakRef(signal));
        // It stays, as a plugin's may.
        const ended = new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
        return Promise.resolve({ done: ended, change: null });
      },
    },
  );
  await until('it has grown', () => begun.length === ROUNDS);
  await until('the first ones are gone', () => {
    collect();
    // The one before may still be on the stack of what has stopped it.
    return begun.slice(0, -2).every((signal) => signal.deref() === undefined);
  });
  stop.abort();
  await done;
});

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  return () => {
    collect.call(null);
  };
}
