import assert from 'node:assert/strict';
import test from 'node:test';
import { LogClient } from '#troupe/actors/log/client.js';
import { JoinedSignals } from '#troupe/log/joined-signals.js';

test('a joined signal ends with the caller’s, and with ours', () => {
  const ours = new AbortController();
  const [caller, other] = [new AbortController(), new AbortController()];
  const joined = new JoinedSignals(ours.signal);
  const [first, second] = [joined.with(caller.signal), joined.with(other.signal)];
  caller.abort('by the caller');
  assert.deepEqual([first.reason, second.aborted], ['by the caller', false]);
  ours.abort('by us');
  assert.equal(second.reason, 'by us');
});

test('a task that reads for years makes one signal, not one a read', async () => {
  const seen = new Set<unknown>();
  const log = new LogClient({
    ask: (_kind, _request, options) => {
      seen.add(options.signal);
      return Promise.reject(new Error('nobody is there'));
    },
  });
  const { signal } = new AbortController();
  for (let read = 0; read < 3; read += 1)
    await assert.rejects(
      log.read({ topic: 't', queue: 0, offset: 0, maxBytes: 1, maxRecords: 1, waitMs: 0, signal }),
      /nobody is there/,
    );
  assert.equal(seen.size, 1);
});
