import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ActorMetrics } from '#troupe/actors/kernel/protocol.js';
import { ALL_METRICS } from '#troupe/core/metrics/metric-tables.js';
import { familyOf } from '#troupe/sdk/metric-definition.js';
import { parseExposition, sampleOf, type ParsedFamily } from '../../support/exposition-parser.js';
import { startInProcess, type InProcessNode } from '../../support/node-in-process.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';
import { writePackage } from '../../unit/plugins/packages.js';

/** Numbers up to what stands in a file. Each tenth has no value, and before each 25th stands one that cannot be read. */
const NUMBERS = `
  import { readFileSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { DataError, sourceRecord } from '@SDK@';
  export default { type: 'source', plugin: {
    kind: 'source', version: '1',
    config: [{ name: 'limit', type: 'STRING', importance: 'HIGH', documentation: 'd' }],
    taskConfigs: (context, config, raw) => [raw],
    createTask: () => ({
      start(context, config) {
        this.signal = context.signal;
        this.limit = config.string('limit');
        const at = context.position({ p: 1 });
        this.next = (at?.n ?? 0) + 1;
        this.bad = at?.bad ?? 0;
        this.made = context.metrics.counter({ name: 'numbers_made_total', help: 'Numbers.', labels: ['kind'] });
        this.newest = context.metrics.gauge({ name: 'numbers_newest', help: 'The newest.' });
        this.polls = context.metrics.histogram({ name: 'numbers_of_poll', help: 'Of one poll.', buckets: [0, 1, 7] });
      },
      async poll() {
        const limit = Number(readFileSync(this.limit, 'utf8'));
        if (this.next > limit) {
          await sleep(20, undefined, { signal: this.signal }).catch(() => undefined);
          return [];
        }
        const records = [];
        while (this.next <= limit && records.length < 7) {
          const n = this.next;
          if (n % 25 === 0 && this.bad < n) {
            if (records.length > 0) break;
            this.bad = n;
            throw new DataError('it cannot be read', { skipTo: { partition: { p: 1 }, position: { n: n - 1, bad: n } } });
          }
          const value = n % 10 === 0 ? null : String(n);
          this.made.with({ kind: value === null ? 'empty' : 'full' }).add();
          records.push(sourceRecord({ value, sourcePartition: { p: 1 }, sourcePosition: { n, bad: this.bad } }));
          this.next += 1;
        }
        this.newest.set(this.next - 1);
        this.polls.observe(records.length);
        return records;
      },
      stop() {},
    }),
  } };`;

class Flow {
  readonly node: InProcessNode;
  readonly #dir: string;
  #limit = 0;

  constructor(node: InProcessNode, dir: string) {
    this.node = node;
    this.#dir = dir;
  }

  get source(): Record<string, string> {
    return {
      'connector.class': 'Numbers',
      limit: join(this.#dir, 'limit'),
      topic: 'numbers',
      'errors.tolerance': 'all',
      transforms: 'full',
      'transforms.full.type': 'Filter',
      'transforms.full.predicate': 'empty',
      predicates: 'empty',
      'predicates.empty.type': 'RecordIsTombstone',
    };
  }

  get sink(): Record<string, string> {
    return {
      'connector.class': 'FileSinkConnector',
      topics: 'numbers',
      file: join(this.#dir, 'out'),
      'base.dir': this.#dir,
    };
  }

  more(count: number): void {
    this.#limit += count;
    writeFileSync(join(this.#dir, 'limit'), String(this.#limit));
  }

  async scrape(format: 'prometheus' | 'openmetrics' = 'prometheus'): Promise<readonly ParsedFamily[]> {
    const accept = format === 'openmetrics' ? 'application/openmetrics-text; version=1.0.0' : '*/*';
    const response = await fetch(`http://127.0.0.1:${this.node.rest.port}/metrics`, { headers: { accept } });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const type =
      format === 'openmetrics'
        ? /^application\/openmetrics-text; version=1.0.0; charset=utf-8$/
        : /^text\/plain; version=0.0.4; charset=utf-8$/;
    assert.match(response.headers.get('content-type') ?? '', type);
    return parseExposition(text, format);
  }

  /** Ends its thread; answers when the next one runs. */
  async kill(id: string): Promise<void> {
    await this.replaced(id, () => assert.ok(this.node.system.kill(id)));
    await until('http answers', () => this.scrape());
  }

  /** Waits until the thread that there is has another in its place, which runs. */
  async replaced(id: string, how: () => unknown): Promise<void> {
    const now = (): ActorMetrics | undefined =>
      this.node.system.metrics(0).changed.find((each) => each.id === id);
    const life = now()?.life ?? 0;
    await how();
    await until(`another thread of ${id} runs`, () => {
      const found = now();
      if (found?.thread === 'running' && found.life > life) return true;
      throw new Error(JSON.stringify(found));
    });
  }

  /** Waits until all have arrived, and looks at what was counted on the way. */
  async settled(): Promise<void> {
    const limit = this.#limit;
    const empty = Math.floor(limit / 10);
    const arrived = Array.from({ length: limit }, (_, i) => i + 1).filter((n) => n % 10 !== 0);
    await until(`${limit} have arrived`, () => {
      const lines = readFileSync(join(this.#dir, 'out'), 'utf8').trimEnd().split('\n').map(Number);
      return lines.length >= arrived.length && (assert.deepEqual(lines, arrived), true);
    });
    // A sink counts after the put has returned.
    await until('all is counted', async () => {
      const now = await this.scrape();
      const of = (name: string): number | undefined => sampleOf(now, name);
      assert.deepEqual(
        {
          polled: of('troupe_source_records_polled_total'),
          appended: of('troupe_source_records_appended_total'),
          filtered: of('troupe_source_records_filtered_total'),
          skipped: sampleOf(now, 'troupe_task_records_skipped_total', { connector: 'numbers' }),
          read: of('troupe_sink_records_read_total'),
          put: of('troupe_sink_records_put_total'),
          full: sampleOf(now, 'troupe_plugin_numbers_made_total', { kind: 'full' }),
          empty: sampleOf(now, 'troupe_plugin_numbers_made_total', { kind: 'empty' }),
          polls: of('troupe_plugin_numbers_of_poll_sum'),
        },
        {
          polled: limit,
          appended: arrived.length,
          filtered: empty,
          skipped: Math.floor(limit / 25),
          read: arrived.length,
          put: arrived.length,
          full: arrived.length,
          empty,
          polls: limit,
        },
      );
      return true;
    });
  }
}

test('what is counted is what arrives, over restarts, a new config, killed threads and a killed http actor', async (t) => {
  const dir = temporaryFolder();
  const sdk = import.meta.resolve('#troupe/sdk/index.js');
  writePackage(join(dir, 'p'), [{ class: 'Numbers', type: 'source', version: '1', module: 'index.js' }], {
    'index.js': NUMBERS.replace('@SDK@', sdk),
  });
  const node = await startInProcess(dir, {
    pluginPaths: join(dir, 'p'),
    'task.restart.backoff.min.ms': '10',
  });
  t.after(async () => {
    await node.system.stop('the test is over');
    removeFolder(dir);
  });
  const flow = new Flow(node, dir);
  const { rest } = node;
  flow.more(100);
  await rest.run('numbers', flow.source);
  await rest.run('lines', flow.sink);
  await flow.settled();
  const bytes = sampleOf(await flow.scrape(), 'troupe_source_appended_bytes_total') ?? 0;
  assert.ok(bytes > 190, `${bytes} for 90 records`);

  for (const path of ['numbers', 'lines'])
    await flow.replaced(`${path}/0`, () => rest.request('POST', `/connectors/${path}/tasks/0/restart`));
  flow.more(70);
  await flow.settled();
  await flow.replaced('numbers/0', () => rest.run('numbers', { ...flow.source, 'batch.size': '3999' }));
  flow.more(60);
  await flow.settled();

  for (const id of ['numbers/0', 'http']) await flow.kill(id);
  flow.more(50);
  await flow.settled();
  const put = sampleOf(await flow.scrape(), 'troupe_sink_records_put_total') ?? 0;
  await flow.kill('lines/0');

  const families = await flow.scrape('openmetrics');
  assert.deepEqual(
    families
      .map(({ name, type, help }) => `${name} ${type} ${help}`)
      .filter((line) => !line.startsWith('troupe_plugin_')),
    ALL_METRICS.map(({ name, type, help }) => `${familyOf(name)} ${type} ${help}`).sort(),
  );
  for (const connector of ['numbers', 'lines'])
    assert.equal(sampleOf(families, 'troupe_task_restarts_total', { connector, task: '0' }), 1);
  // What it had not committed comes again.
  assert.ok((sampleOf(families, 'troupe_sink_records_put_total') ?? 0) >= put);
  assert.equal(sampleOf(families, 'troupe_actor_restarts_total', { actor: 'http' }), 1);
  assert.equal(sampleOf(families, 'troupe_tasks', { state: 'running' }), 2);
  assert.equal(sampleOf(families, 'troupe_plugin_numbers_newest'), 280);
  assert.ok((sampleOf(families, 'troupe_sink_commits_total') ?? 0) > 0);
  assert.ok((sampleOf(families, 'troupe_sink_flush_duration_seconds_count') ?? 0) > 0);
  assert.ok((sampleOf(families, 'troupe_actor_heap_bytes', { actor: 'numbers/0' }) ?? 0) > 1e6);

  await rest.request('DELETE', '/connectors/numbers');
  await until('it leaves the output', async () => {
    const left = (await flow.scrape()).flatMap(({ samples }) => samples);
    return (
      left.some(({ labels }) => labels['connector'] === 'lines') &&
      !left.some(({ labels }) => labels['connector'] === 'numbers' || labels['actor'] === 'numbers/0')
    );
  });
});
