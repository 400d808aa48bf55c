/** Topics come, go and are made anew under sinks of a pattern, whose node is killed in between. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { batchOf } from '../../conformance/log-batches.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal } from '../../support/journal.js';
import { random } from '../../support/random.js';
import { until } from '../../support/wait.js';

const KEPT = { retentionMs: null, retentionBytes: null };
const QUEUES = 2;
const ROUNDS = 10;
const SINKS = ['RecordingSink', 'OpeningSink'];

/** A topic in its present life, and how many records each of its queues has. */
interface Life {
  readonly topic: string;
  readonly number: number;
  written: number;
}

test('whatever topics come, go and are made anew under sinks, and whenever their node is killed, each record of those that are left arrives in order', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`TEST_SEED=${seed}`);
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
  t.after(() => store.close());
  for (const kind of SINKS)
    await cluster.put('a', kind, {
      'connector.class': kind,
      'tasks.max': '2',
      'topics.regex': 'log-.*',
      'topics.refresh.ms': '100',
      'offset.flush.interval.ms': '100',
      journal: cluster.journal,
    });
  const lives = new Map<string, Life>();
  let made = 0;
  const write = async (life: Life): Promise<void> => {
    const numbers = Array.from({ length: 1 + next(20) }, (_, n) => life.written + n);
    for (let queue = 0; queue < QUEUES; queue += 1) {
      const batch = batchOf(numbers.map((n) => `${life.topic}#${life.number}/${queue} ${n}`));
      await store.append({ entries: [{ topic: life.topic, queue, batch }] });
    }
    life.written += numbers.length;
  };
  const create = async (topic: string): Promise<void> => {
    await store.createTopic(topic, { queues: QUEUES, ...KEPT });
    const life = { topic, number: (made += 1), written: 0 };
    lives.set(topic, life);
    await write(life);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const life of lives.values()) await write(life);
    const known = [...lives.keys()][next(lives.size)];
    if (known !== undefined && next(2) === 0) {
      await store.deleteTopic(known);
      lives.delete(known);
      if (next(2) === 0) await create(known);
    } else await create(`log-${round}`);
    if (next(3) > 0) continue;
    await cluster.node('a').kill();
    await cluster.start('a');
  }
  for (const unit of SINKS) {
    const puts = await until(
      `all records arrive in ${unit}`,
      () => {
        const acts = readJournal(cluster.journal).filter(
          (act) => act.what === 'put' && act.unit.startsWith(`${unit}/`),
        );
        const values = new Set(acts.map(({ value }) => value));
        const missing = [...lives.values()].flatMap(({ topic, number, written }) =>
          Array.from(
            { length: QUEUES * written },
            (_, n) => `${topic}#${number}/${n % QUEUES} ${Math.floor(n / QUEUES)}`,
          ).filter((value) => !values.has(value)),
        );
        return missing.length === 0
          ? acts
          : Promise.reject(new Error(`missing: ${missing.slice(0, 20).join(', ')}`));
      },
      60_000,
    );
    const highest = new Map<string, number>();
    const seen = new Set<string>();
    for (const { value } of puts) {
      if (seen.has(value)) continue;
      seen.add(value);
      const [queue = '', number] = value.split(' ');
      assert.ok(Number(number) > (highest.get(queue) ?? -1), `${value} came late`);
      highest.set(queue, Number(number));
    }
    await cluster.running('a', unit, 2);
  }
  const starts = readJournal(cluster.journal).filter(
    ({ what, unit }) => what === 'start' && unit.startsWith('OpeningSink'),
  );
  const pids = new Set(starts.map(({ pid }) => pid));
  assert.equal(starts.length, 2 * pids.size, 'only a kill starts it again');
});
