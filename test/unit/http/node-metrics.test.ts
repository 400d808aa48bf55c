import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_METRICS_BYTES } from '#troupe/actors/kernel/metrics-chunk.js';
import { MetricsWriter } from '#troupe/actors/kernel/metrics-writer.js';
import type { TreeNode } from '#troupe/actors/kernel/protocol.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { NodeMetrics } from '#troupe/http/actor/node-metrics.js';
import type { Call } from '#troupe/http/runtime.js';
import type { TaskMetrics } from '#troupe/sdk/index.js';
import { MetricsLedger } from '#troupe/supervisor/metrics-ledger.js';
import { parseExposition, sampleOf, type ParsedFamily } from '../../support/exposition-parser.js';
import { refTo } from '../../support/ref.js';

const worker = { workerId: 'w', clusterId: 'c', version: '1.2.3', commit: 'abc' };
const help = 'What it is.';

function call(): Call {
  const { signal } = new AbortController();
  return { signal, gone: signal, remainingMs: () => 1000, waitingFor: '' };
}

/** A node whose threads are played by the test. */
class PlayedNode {
  readonly ledger = new MetricsLedger();
  /** What its rebalancer says that it runs; null: the rebalancer is down. */
  allocated: string[] | null = [];
  tasks: TreeNode[] = [];
  #metrics = this.newHttp();

  /** The http actor starts anew. */
  restartHttp(): void {
    this.#metrics = this.newHttp();
  }

  newHttp(): NodeMetrics {
    const rebalancer = refTo<RebalancerProtocol>({
      ask: {
        allocated: () => {
          if (this.allocated === null) throw new Error('it is down');
          return {
            units: this.allocated.map((unit) => ({
              unit,
              epoch: 1,
              generation: 1,
              config: {},
              state: 'RUNNING',
            })),
          };
        },
      },
    });
    return new NodeMetrics(worker, rebalancer, {
      startChild: () => assert.fail(),
      replaceSpec: () => assert.fail(),
      stopChild: () => assert.fail(),
      children: () => assert.fail(),
      tree: () => Promise.resolve(this.#tree()),
      metrics: (since) => Promise.resolve(this.ledger.since(since)),
      logLevels: () => assert.fail(),
      setLogLevel: () => assert.fail(),
      watch: () => assert.fail(),
      shutdown: () => assert.fail(),
    });
  }

  /** A thread of a task that runs, and what its plugin counts with. */
  start(unit: string): TaskMetrics {
    const metrics = this.begin(unit);
    this.ledger.started(unit);
    return metrics;
  }

  begin(unit: string): TaskMetrics {
    const memory = this.ledger.begin(unit);
    const ignore = (): void => undefined;
    return new MetricsWriter(memory, (chunk) => {
      this.ledger.add(unit, chunk);
    }).registry({ prefix: 'troupe_plugin_', maxBytes: MAX_METRICS_BYTES, onIgnored: ignore, onFull: ignore });
  }

  async scrape(format: 'prometheus' | 'openmetrics' = 'prometheus'): Promise<readonly ParsedFamily[]> {
    return parseExposition(await this.#metrics.text(call(), format), format);
  }

  #tree(): TreeNode {
    const tasks: TreeNode = {
      id: 'tasks',
      kind: 'supervisor',
      state: 'running',
      restarts: 0,
      children: this.tasks,
    };
    return { id: 'root', kind: 'supervisor', state: 'running', restarts: 0, children: [tasks] };
  }
}

function rowsOf(families: readonly ParsedFamily[], connector: string): number | undefined {
  return sampleOf(families, 'troupe_plugin_rows_total', { connector });
}

test('a task that rests shows its counters and no gauges; one that is gone shows nothing; both go on later', async () => {
  const node = new PlayedNode();
  for (const connector of ['a', 'b']) {
    const metrics = node.start(`${connector}/0`);
    metrics.counter({ name: 'rows_total', help }).add(5);
    metrics.gauge({ name: 'lag', help }).set(1);
  }
  node.allocated = ['a/0', 'b/0', 'a'];
  const before = await node.scrape();
  assert.deepEqual([rowsOf(before, 'a'), rowsOf(before, 'b')], [5, 5]);
  assert.equal(sampleOf(before, 'troupe_plugin_lag', { connector: 'b', task: '0' }), 1);

  for (const unit of ['a/0', 'b/0']) node.ledger.ended(unit, false);
  node.allocated = ['a/0'];
  const resting = await node.scrape();
  assert.deepEqual([rowsOf(resting, 'a'), rowsOf(resting, 'b')], [5, undefined]);
  assert.equal(sampleOf(resting, 'troupe_plugin_lag'), undefined);

  node.allocated = ['a/0', 'b/0'];
  for (const unit of node.allocated) node.start(unit).counter({ name: 'rows_total', help }).add();
  const after = await node.scrape();
  assert.deepEqual([rowsOf(after, 'a'), rowsOf(after, 'b')], [6, 6]);
  assert.equal(sampleOf(after, 'troupe_plugin_lag'), undefined);
});

test('while a task starts its counters stay; once it runs those are gone that its plugin has given up', async () => {
  const node = new PlayedNode();
  node.allocated = ['a/0'];
  const first = node.start('a/0');
  first.counter({ name: 'rows_total', help }).add(5);
  first.counter({ name: 'old_total', help }).add(1);
  node.ledger.ended('a/0', true);
  const next = node.begin('a/0');
  const starting = await node.scrape();
  assert.equal(rowsOf(starting, 'a'), 5);
  assert.equal(sampleOf(starting, 'troupe_plugin_old_total'), 1);
  next.counter({ name: 'rows_total', help });
  node.ledger.started('a/0');
  const running = await node.scrape();
  assert.equal(rowsOf(running, 'a'), 5);
  assert.equal(sampleOf(running, 'troupe_plugin_old_total'), undefined);
  assert.equal(sampleOf(running, 'troupe_task_restarts_total', { connector: 'a', task: '0' }), 1);
});

test('an http actor that starts anew shows what was counted before', async () => {
  const node = new PlayedNode();
  node.allocated = ['a/0'];
  node.start('a/0').counter({ name: 'rows_total', help }).add(5);
  await node.scrape();
  node.restartHttp();
  assert.equal(rowsOf(await node.scrape(), 'a'), 5);
});

test('without a rebalancer the tasks of the tree are shown, and their states are not', async () => {
  const node = new PlayedNode();
  for (const unit of ['a/0', 'b/0']) node.start(unit).counter({ name: 'rows_total', help }).add(5);
  node.tasks = [{ id: 'a/0', kind: 'actor', state: 'running', restarts: 0 }];
  node.allocated = null;
  const families = await node.scrape();
  assert.deepEqual([rowsOf(families, 'a'), rowsOf(families, 'b')], [5, undefined]);
  assert.equal(sampleOf(families, 'troupe_tasks', { state: 'running' }), undefined);
  assert.equal(sampleOf(families, 'troupe_actor_up', { actor: 'a/0' }), 1);
});

test('of two connectors that have one name for different things the first is shown', async () => {
  const node = new PlayedNode();
  node.allocated = ['a/0', 'b/0', 'c/0'];
  node.start('a/0').counter({ name: 'things_total', help }).add(5);
  node.start('b/0').gauge({ name: 'things', help }).set(7);
  node
    .start('c/0')
    .counter({ name: 'things_total', help: 'Said otherwise.', labels: ['of'] })
    .with({ of: 'x' })
    .add(1);
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const families = await node.scrape(format);
    assert.equal(sampleOf(families, 'troupe_plugin_things_total', { connector: 'a' }), 5);
    assert.equal(sampleOf(families, 'troupe_plugin_things_total', { connector: 'c', of: 'x' }), 1);
    assert.equal(sampleOf(families, 'troupe_plugin_things'), undefined);
    assert.equal(sampleOf(families, 'troupe_metrics_left_out'), 1);
  }
});

test('names, helps and label values of any characters, and any numbers, are read as they were meant', async () => {
  const node = new PlayedNode();
  const odd = 'a "b" \\n \\ c\nd, {e}="f" ä€😀\r\t\u0000';
  node.allocated = [`${odd}/0`];
  const metrics = node.start(`${odd}/0`);
  const bounds = [-1.5, 0, 1e-7, 0.25, 1, 12, 1e6, 12345678.5, 1e21];
  metrics
    .counter({ name: 'odd_total', help: odd, labels: ['text'] })
    .with({ text: odd })
    .add(0.1);
  const histogram = metrics.histogram({ name: 'odd_bounds', help, buckets: bounds });
  for (const bound of bounds) histogram.observe(bound);
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const families = await node.scrape(format);
    assert.equal(
      sampleOf(families, 'troupe_plugin_odd_total', { connector: odd, task: '0', text: odd }),
      0.1,
    );
    const found = families.find(({ name }) => name === 'troupe_plugin_odd_bounds')?.samples ?? [];
    assert.deepEqual(
      found.filter(({ labels }) => 'le' in labels).map(({ labels, value }) => [Number(labels['le']), value]),
      [...bounds.map((bound, i) => [bound, i + 1]), [NaN, bounds.length]],
    );
  }
});
