import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';

import type { ConfigSyncProtocol } from '#troupe/actors/config-sync/protocol.js';
import type { DiscoveryProtocol } from '#troupe/actors/discovery/protocol.js';
import http from '#troupe/http/actor/behavior.js';
import type { HttpParams } from '#troupe/http/actor/protocol.js';
import type { HttpPeers } from '#troupe/http/actor/runtime.js';
import { ActorError } from '#troupe/actors/kernel/errors.js';
import { announceStop, createLease } from '#troupe/actors/kernel/lease.js';
import type {
  ActorContext,
  ActorLogger,
  AskKind,
  Handlers,
  Protocol,
  Ref,
  SystemRef,
} from '#troupe/actors/kernel/protocol.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { ownMetrics } from '../../support/metrics.js';

type Ask<P extends Protocol> = Handlers<P>['ask'];

/** A ref whose target is a few functions, up or down as the test says. */
class FakeRef<P extends Protocol> implements Ref<P> {
  up = false;
  readonly asked: string[] = [];
  readonly #listeners = new Set<(up: boolean, incarnation: number) => void>();

  constructor(
    readonly id: string,
    readonly answers: Partial<Ask<P>>,
  ) {}

  become(up: boolean): void {
    this.up = up;
    for (const listener of this.#listeners) listener(up, 1);
  }

  tell(): boolean {
    return this.up;
  }

  async ask<K extends AskKind<P>>(kind: K, request: P['ask'][K]['request']): Promise<P['ask'][K]['reply']> {
    this.asked.push(kind);
    const answer = this.answers[kind];
    if (!this.up) throw new ActorError('ACTOR_DOWN', `${this.id} is down`);
    if (answer === undefined) throw new ActorError('UNKNOWN_MESSAGE', kind);
    const call = { from: 'http', signal: new AbortController().signal, transfer: () => undefined };
    return answer(request, call);
  }

  onChange(listener: (up: boolean, incarnation: number) => void): () => void {
    this.#listeners.add(listener);
    listener(this.up, 0);
    return () => this.#listeners.delete(listener);
  }
}

const SELF = { id: 'w1', incarnation: 'i' };

function peers() {
  const entry = {
    name: 'a',
    config: { name: 'a', 'connector.class': 'C' },
    targetState: 'RUNNING' as const,
    version: 1,
    restart: null,
    tasks: null,
  };
  return {
    discovery: new FakeRef<DiscoveryProtocol>('discovery', {
      view: () => ({ self: SELF, members: [], drained: [], claims: [], statuses: [], digest: '', offset: 0 }),
    }),
    'config-sync': new FakeRef<ConfigSyncProtocol>('config-sync', {
      connectors: () => [entry],
      connector: ({ name }) => (name === 'a' ? entry : null),
      plugins: () => ({ plugins: [{ class: 'C', type: 'sink', version: '1' }], problems: [] }),
      reloadPlugins: () => ({ plugins: [{ class: 'C', type: 'source', version: '2' }], problems: [] }),
      setTarget: () => {
        throw new ActorError('REMOTE_ERROR', 'the disk is full', { remoteCode: 'LOG_FULL' });
      },
      pluginConfig: () => [],
    }),
    rebalancer: new FakeRef<RebalancerProtocol>('rebalancer', { allocated: () => ({ units: [] }) }),
  };
}

async function start(t: TestContext, refs: ReturnType<typeof peers>, lease = createLease()) {
  let url = '';
  const log: ActorLogger = {
    debug: () => undefined,
    info: (fields) => {
      if ('url' in fields && typeof fields.url === 'string') url = fields.url;
    },
    warn: () => undefined,
    error: () => undefined,
    child: () => log,
  };
  const system: SystemRef = {
    startChild: () => Promise.resolve(),
    replaceSpec: () => Promise.resolve(),
    stopChild: () => Promise.resolve(),
    children: () => Promise.resolve([]),
    tree: () => Promise.resolve({ id: 'root', kind: 'supervisor', state: 'running', restarts: 0 }),
    metrics: () => Promise.resolve({ version: 0, ids: [], changed: [] }),
    logLevels: () => Promise.resolve([]),
    setLogLevel: () => Promise.resolve([]),
    watch: () => undefined,
    shutdown: () => undefined,
  };
  const context: ActorContext<HttpPeers, HttpParams> = {
    id: 'http',
    incarnation: 1,
    params: {
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      maxBodyBytes: 1000,
      requestTimeoutMs: 5000,
      defaultConverters: {},
      workerId: 'w1',
      clusterId: 'k',
      version: '1',
    },
    peers: refs,
    system,
    log,
    signal: new AbortController().signal,
    lease,
    metrics: ownMetrics(),
    crash: (error) => assert.fail(String(error)),
    passivate: () => assert.fail('it keeps its thread'),
  };
  const running = await http.start(context);
  t.after(() => running.stop?.());
  const call = async (
    method: string,
    path: string,
  ): Promise<{ status: number; body: Record<string, unknown>; text: string }> => {
    const response = await fetch(url + path, { method });
    const text = await response.text();
    const json = response.headers.get('content-type')?.startsWith('application/json') === true;
    const body: unknown = json ? JSON.parse(text) : {};
    assert.ok(typeof body === 'object' && body !== null);
    return { status: response.status, body: { ...body }, text };
  };
  return call;
}

function all(refs: ReturnType<typeof peers>, up: boolean): void {
  for (const ref of Object.values(refs)) ref.become(up);
}

test('it answers before the others are there, and says who is missing', async (t) => {
  const refs = peers();
  const call = await start(t, refs);
  assert.deepEqual((await call('GET', '/')).body, {
    version: '1',
    commit: 'unknown',
    kafka_cluster_id: 'k',
    worker_id: 'w1',
  });
  const refused = await call('GET', '/connectors');
  assert.deepEqual([refused.status, refused.body['code']], [503, 'ACTOR_DOWN']);
  assert.match(refused.text, /config-sync/);
  const health = await call('GET', '/health');
  assert.deepEqual([health.status, health.body['status']], [503, 'starting']);
  assert.match(health.text, /discovery, config-sync, rebalancer/);
});

test('health follows the actors: starting, healthy, unhealthy while one is restarted, healthy again', async (t) => {
  const refs = peers();
  const call = await start(t, refs);
  const health = async (): Promise<unknown> => (await call('GET', '/health')).body['status'];
  refs.discovery.become(true);
  assert.equal(await health(), 'starting');
  all(refs, true);
  assert.equal(await health(), 'healthy');
  refs.rebalancer.become(false);
  assert.equal(await health(), 'unhealthy');
  refs.rebalancer.become(true);
  assert.equal(await health(), 'healthy');
});

test('while the node stops it says so from the first moment, and answers what it still can', async (t) => {
  const refs = peers();
  all(refs, true);
  const lease = createLease();
  const call = await start(t, refs, lease);
  announceStop(lease);
  const health = await call('GET', '/health');
  assert.deepEqual([health.status, health.body['status']], [500, 'unhealthy']);
  assert.match(health.text, /The node is stopping/);
  assert.equal((await call('GET', '/connectors')).status, 200);
  all(refs, false);
  const refused = await call('GET', '/connectors');
  assert.deepEqual([refused.status, refused.body['code']], [503, 'SHUTTING_DOWN']);
});

test('an error that an actor threw keeps its code', async (t) => {
  const refs = peers();
  all(refs, true);
  const call = await start(t, refs);
  const refused = await call('PUT', '/connectors/a/pause');
  assert.deepEqual(
    [refused.status, refused.body['code'], refused.body['message']],
    [503, 'LOG_FULL', 'the disk is full'],
  );
});

test('plugins are asked for once, and again after a reload or a restart of config-sync', async (t) => {
  const refs = peers();
  all(refs, true);
  const sync = refs['config-sync'];
  const call = await start(t, refs);
  const type = async (): Promise<unknown> => (await call('GET', '/connectors/a/status')).body['type'];
  const asks = (): number => sync.asked.filter((kind) => kind === 'plugins').length;
  assert.deepEqual([await type(), await type(), asks()], ['sink', 'sink', 1]);
  assert.equal((await call('GET', '/plugin/reload')).text, 'success');
  assert.deepEqual([await type(), asks()], ['source', 1]);
  sync.become(false);
  sync.become(true);
  assert.deepEqual([await type(), asks()], ['sink', 2]);
});
