import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import type { ActorLogger, Protocol, Ref } from '#troupe/actors/kernel/protocol.js';
import { StateReport, type TaskActorContext } from '#troupe/actors/task/parts.js';
import { Gate } from '#troupe/actors/task/gate.js';
import type { LoadedSource } from '#troupe/actors/task/load-task.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { startSource } from '#troupe/actors/task/source/source-task.js';
import { DEFAULT_TOLERANCE } from '#troupe/core/tolerance.js';
import type { Log } from '#troupe/log/log.js';
import { parseConfigOrThrow } from '#troupe/sdk/config-parse.js';
import { sourceRecord } from '#troupe/sdk/index.js';
import { ANY_FILE } from '#troupe/sdk/testing/any-file.js';
import { readTexts } from '../../conformance/log-batches.js';
import { until } from '../../support/wait.js';
import { KEPT, newFolder, openStore } from '../log/support.js';

const UNIT = 'numbers/0';
const RECORDS = ['1', '2', '3'];

const silent: ActorLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

const asText = {
  input: 'text' as const,
  instance: {
    fromConnectData: (_topic: string, _schema: unknown, value: unknown) => String(value),
    toConnectData: () => assert.fail('a source does not read'),
  },
};

let starts = 0;

/** Always the same records, as there is no position yet. */
const loaded: LoadedSource = {
  kind: 'source',
  topic: 'numbers',
  topicCreation: (_topic, node) => node,
  exactlyOnce: 'requested',
  config: parseConfigOrThrow([], {}),
  chain: null,
  keyConverter: asText,
  valueConverter: asText,
  tolerance: DEFAULT_TOLERANCE,
  limits: { maxRecords: RECORDS.length, maxBytes: 10_000, lingerMs: 0 },
  files: ANY_FILE,
  connector: {
    kind: 'source',
    version: '1',
    config: [],
    taskConfigs: () => [],
    createTask: () => {
      let polled = false;
      return {
        start: () => {
          starts += 1;
        },
        poll: () => {
          if (polled) return [];
          polled = true;
          return RECORDS.map((value) =>
            sourceRecord({ value, sourcePartition: {}, sourcePosition: { at: value } }),
          );
        },
        stop: () => undefined,
      };
    },
  },
};

/** A ref that answers itself. */
function ref<P extends Protocol>(
  id: string,
  answer: (kind: string, request: unknown) => Promise<unknown>,
): Ref<P> {
  return {
    id,
    up: true,
    tell: () => true,
    // Only this test's own answers come back.
    ask: (kind, request) => answer(kind, request),
    onChange: () => () => undefined,
  };
}

/** One start of the task's thread, within one claim. */
async function startThread(
  t: TestContext,
  incarnation: number,
  log: Log,
  opened: (epoch: number) => Promise<void>,
  { leaseMs = 3_600_000, stop = new AbortController() } = {},
) {
  const lease = createLease();
  renewLease(lease, monotonicMs() + leaseMs);
  const context: TaskActorContext = {
    id: UNIT,
    incarnation,
    params: {
      unit: UNIT,
      epoch: 7,
      generation: 1,
      node: { id: 'n', incarnation: 'i' },
      taskCount: 1,
      config: {},
      settings: {
        logSettings: { kind: 'embedded' },
        pluginPaths: [],
        files: { allowed: [], closed: [] },
        secretProviders: { env: [], folders: [], scopes: [] },
        positionTopic: 'positions',
        offsetTopic: 'offsets',
        ownTopics: ['positions', 'offsets'],
        keyConverter: '',
        valueConverter: '',
        stallTimeoutMs: 3_600_000,
        stopTimeoutMs: 10_000,
        offsetFlushIntervalMs: 1000,
        topicCreation: false,
        topicQueues: 1,
        topicRetentionMs: null,
        topicRetentionBytes: null,
      },
    },
    peers: {
      log: ref('log', () => assert.fail('the log is given')),
      persistence: ref('persistence', async (_kind, request) => {
        assert.ok(typeof request === 'object' && request !== null && 'epoch' in request);
        await opened(Number(request.epoch));
        return { positions: [], offsets: [], uncovered: { tails: [], left: [] } };
      }),
      rebalancer: ref('rebalancer', () => assert.fail('nothing is asked')),
    },
    system: {
      startChild: () => Promise.resolve(),
      stopChild: () => Promise.resolve(),
      children: () => Promise.resolve([]),
      tree: () => assert.fail('nobody asks for the tree'),
      watch: () => undefined,
      shutdown: () => undefined,
    },
    log: silent,
    signal: stop.signal,
    lease,
    crash: (error) => assert.fail(String(error)),
  };
  const gate = new Gate(lease, stop.signal);
  gate.setTarget('RUNNING');
  const calls = new PluginCalls(3_600_000, () => undefined);
  const { done } = await startSource({ context, log, gate, calls, report: new StateReport(context) }, loaded);
  t.after(async () => {
    calls.close();
    stop.abort();
    await done.catch(() => undefined);
  });
}

test('what a dead thread has left on its way to the log changes nothing once its successor has begun', async (t) => {
  const store = await openStore(t, { dir: newFolder(t) });
  for (const topic of ['numbers', 'positions']) await store.createTopic(topic, { queues: 1, ...KEPT });
  const fence = (epoch: number): Promise<void> => store.fence({ key: UNIT, epoch });
  const append = store.append.bind(store);
  let deliver: (() => Promise<unknown>) | null = null;
  store.append = (request) =>
    new Promise((resolve, reject) => {
      deliver = () => append(request).then(resolve, reject);
    });
  await startThread(t, 1, store, fence);
  const late = await until('the first thread has appended', () => deliver);
  store.append = append;
  await startThread(t, 2, store, fence);
  await until('the second thread has delivered', async () => (await readTexts(store, 'numbers')).length >= 3);
  await late();
  assert.deepEqual(await readTexts(store, 'numbers'), RECORDS);
});

test('a thread that finds the lease lost when it has opened does not start the plugin', async (t) => {
  const store = await openStore(t, { dir: newFolder(t) });
  const stop = new AbortController();
  starts = 0;
  const opened = (): Promise<void> => {
    stop.abort();
    return Promise.resolve();
  };
  await assert.rejects(startThread(t, 1, store, opened, { leaseMs: -1, stop }), /told to stop before/);
  assert.equal(starts, 0);
});
