/** The loop of a source whose plugin the test plays. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { runSource } from '#troupe/actors/task/source/source-loop.js';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import { DEFAULT_TOLERANCE } from '#troupe/core/tolerance.js';
import { RetriableError, type SourceTask } from '#troupe/sdk/index.js';
import { until } from '../../support/wait.js';

const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
const noLog = () => assert.fail('nothing is written');

/** Runs the loop until the end of the test. */
function play(t: TestContext, poll: SourceTask['poll']) {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const { signal } = ending;
  const gate = new Gate(lease, signal);
  gate.setTarget('RUNNING');
  const calls = new PluginCalls(60_000, ignore);
  const said: string[] = [];
  const instance = { fromConnectData: () => null, toConnectData: () => ({ schema: null, value: null }) };
  const ended = runSource({
    task: { start: ignore, stop: ignore, poll },
    calls,
    gate,
    signal,
    writer: new SourceWriter({
      log: {
        append: noLog,
        capabilities: { atomicAppend: true, trim: true, fencing: true, maxRecordBytes: 1000 },
      },
      limits: { maxRecords: 10, maxBytes: 1000, lingerMs: 0 },
      window: 1,
      positionEntry: noLog,
      exact: null,
      fence: { key: 'c/0', epoch: 1 },
      retry: noLog,
      onAppended: ignore,
    }),
    topics: { queues: () => 1, ensure: noLog, route: () => 0 },
    errors: new RecordErrors(DEFAULT_TOLERANCE, silent, signal, (call) => said.push(call ?? 'recovered')),
    transform: null,
    keyConverter: instance,
    valueConverter: instance,
    headerConverter: noLog,
    topic: 't',
    marker: null,
    begun: [],
    onPaused: (paused) => said.push(paused ? 'paused' : 'running'),
  });
  t.after(async () => {
    ending.abort();
    await ended;
    calls.close();
  });
  return { ended, gate, said };
}

test('a plugin in JavaScript that polls null, for nothing, is polled on', async (t) => {
  let polls = 0;
  play(t, () => {
    polls += 1;
    return null as unknown as [];
  });
  await until('it is polled on', () => polls >= 3);
});

test('a source that is paused while its far end is away says so, and is polled when it is resumed', async (t) => {
  let polls = 0;
  const { gate, said } = play(t, () => {
    polls += 1;
    if (polls > 1) return [];
    throw new RetriableError('the far end is away', { retryAfterMs: 3_600_000 });
  });
  await until('it waits to try again', () => said.includes('poll'));
  gate.setTarget('PAUSED');
  await until('it is paused', () => said.includes('paused'));
  assert.deepEqual(said, ['poll', 'recovered', 'paused']);
  assert.equal(polls, 1);
  gate.setTarget('RUNNING');
  await until('it is polled', () => polls > 1);
});
