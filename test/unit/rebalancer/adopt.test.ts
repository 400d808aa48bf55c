import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiscoveryProtocol } from '#troupe/actors/discovery/protocol.js';
import type {
  ActorContext,
  ChildState,
  Protocol,
  Ref,
  SystemEvent,
  SystemRef,
} from '#troupe/actors/kernel/protocol.js';
import { createLease } from '#troupe/actors/kernel/lease.js';
import rebalancerBehavior from '#troupe/actors/rebalancer/behavior.js';
import { NodeState } from '#troupe/actors/rebalancer/node-state.js';
import type { RebalancerParams, RebalancerPeers } from '#troupe/actors/rebalancer/params.js';
import { Rebalancer } from '#troupe/actors/rebalancer/rebalancer.js';
import { LOG, NOBODY_RESTS, NO_LOG, NO_SYSTEM, REBALANCER } from '../../simulation/node-settings.js';
import { refTo } from '../../support/ref.js';
import { until } from '../../support/wait.js';
import { ownMetrics } from '../../support/metrics.js';

/** Nobody is there. */
function absent<P extends Protocol>(): Ref<P> {
  return {
    id: 'absent',
    up: false,
    tell: () => false,
    ask: () => Promise.reject(new Error('nobody is asked')),
    onChange: () => () => undefined,
  };
}

interface Adopted {
  readonly rebalancer: Rebalancer;
  readonly told: string[];
  /** The thread that was told to stop is gone. */
  readonly gone: () => void;
}

const NOBODY: ActorContext<RebalancerPeers, RebalancerParams>['peers'] = {
  log: absent(),
  discovery: absent(),
  'config-sync': absent(),
};

const FAILED = {
  type: 'exited',
  incarnation: 1,
  reason: { code: 'CRASH', message: 'failed' },
  restartInMs: null,
} as const;

function found(id: string, state: ChildState) {
  return { id, state, params: { unit: id, epoch: 3, generation: 2, config: {} } };
}

function contextOf(system: SystemRef): ActorContext<RebalancerPeers, RebalancerParams> {
  return {
    id: 'rebalancer',
    incarnation: 2,
    params: REBALANCER,
    peers: NOBODY,
    system,
    log: LOG,
    signal: new AbortController().signal,
    lease: createLease(),
    metrics: ownMetrics(),
    crash: (error) => {
      throw error;
    },
    passivate: NOBODY_RESTS,
  };
}

async function adopt(children: Readonly<Record<string, ChildState>>): Promise<Adopted> {
  const told: string[] = [];
  let gone = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const system: SystemRef = {
    ...NO_SYSTEM,
    children: () => Promise.resolve(Object.entries(children).map(([id, state]) => found(id, state))),
    stopChild: (id) => {
      told.push(id);
      return ended;
    },
  };
  const rebalancer = new Rebalancer(contextOf(system), new NodeState(), NO_LOG);
  await rebalancer.adoptRunning();
  return { rebalancer, told, gone };
}

const unitsOf = (rebalancer: Rebalancer): string[] => rebalancer.allocated().map(({ unit }) => unit);

test('a new rebalancer goes on with the tasks that run', async () => {
  const { rebalancer, told } = await adopt({ 'c/0': 'running', 'c/1': 'backoff' });
  assert.deepEqual(unitsOf(rebalancer), ['c/0', 'c/1']);
  assert.deepEqual(told, []);
});

test('a task that fails right after it was found running is FAILED', async (t) => {
  const told: unknown[] = [];
  let hears: ((event: SystemEvent) => void) | null = null;
  // What is asked of the supervisor arrives in order, and a moment later.
  const system: SystemRef = {
    ...NO_SYSTEM,
    watch: (_supervisor, listener) => setImmediate(() => (hears = listener)),
    children: () =>
      new Promise((resolve) => {
        setImmediate(() => {
          resolve([found('c/0', 'running')]);
          if (hears !== null) setImmediate(hears, { ...FAILED, id: 'c/0' });
        });
      }),
  };
  const discovery = refTo<DiscoveryProtocol>({ tell: { status: (status) => told.push(status.state) } });
  const running = await rebalancerBehavior.start({ ...contextOf(system), peers: { ...NOBODY, discovery } });
  t.after(() => running.stop?.());
  await until('it is told', () => told.length > 0);
  assert.deepEqual(told, ['FAILED']);
});

test('a task that its predecessor told to stop does not count as running once it is gone', async () => {
  const { rebalancer, told, gone } = await adopt({ 'c/0': 'running', 'c/1': 'stopping' });
  assert.deepEqual(unitsOf(rebalancer), ['c/0', 'c/1'], 'nothing else may run it before');
  assert.deepEqual(told, ['c/1']);
  gone();
  await until('it is gone', () => unitsOf(rebalancer).length === 1);
  assert.deepEqual(unitsOf(rebalancer), ['c/0']);
});
