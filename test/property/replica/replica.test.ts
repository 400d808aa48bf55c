import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clusterMachine } from '#troupe/core/cluster/cluster-machine.js';
import { configMachine } from '#troupe/core/connectors/config-machine.js';
import { decodeRecord, EntryEncoder, type Writer } from '#troupe/core/replica/envelope.js';
import { positionMachine } from '#troupe/core/progress/progress-machine.js';
import { Replica, type Machine } from '#troupe/core/replica/replicated-state.js';
import { packSnapshot } from '#troupe/core/replica/snapshot.js';
import { Writers } from '#troupe/core/replica/writers.js';
import { clusterEntry, configEntry, positionEntry, writer } from './entries.js';
import { MemoryTopic } from './memory-topic.js';

/** A machine and entries for it, with the state type forgotten. */
interface Subject {
  readonly name: string;
  readonly check: (property: (fixture: Fixture) => Promise<void>) => Promise<void>;
}

interface Step {
  readonly by: Writer;
  readonly entry: unknown;
  /** What happens to the topic around the entry. */
  readonly event: 'none' | 'repeat' | 'garbage' | 'torn snapshot' | 'read';
  readonly pick: number;
}

interface Fixture {
  readonly machine: Machine<unknown, unknown, unknown>;
  readonly steps: readonly Step[];
}

function subject<S, E, R>(machine: Machine<S, E, R>, entryOf: (by: Writer) => fc.Arbitrary<E>): Subject {
  const step = writer.chain((by) =>
    fc.record({
      by: fc.constant(by),
      entry: entryOf(by),
      event: fc.constantFrom('none', 'none', 'none', 'repeat', 'garbage', 'torn snapshot', 'read'),
      pick: fc.nat(1000),
    }),
  );
  return {
    name: machine.name,
    check: (property) =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) =>
          property({ machine, steps }),
        ),
        { numRuns: 150 },
      ),
  };
}

const SUBJECTS = [
  subject(clusterMachine, clusterEntry),
  subject(configMachine, () => configEntry),
  subject(positionMachine, () => positionEntry),
];

/** What the topic's whole history means, by the rules alone: no snapshots, no batches. */
function fold(machine: Fixture['machine'], topic: MemoryTopic): unknown {
  let state = machine.initial();
  const writers = new Writers();
  for (const { offset, timestamp, value } of topic.history) {
    const record = decodeRecord(value);
    if (record === null || 'snapshot' in record || !writers.advance(record, record.seq)) continue;
    const entry = machine.decode(record.entry);
    if (entry === null) continue;
    state = machine.apply(state, entry, { offset, timestamp, writer: record }).state;
  }
  return state;
}

function same(machine: Fixture['machine'], actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected);
  // In the same order, too: what is forgotten first depends on it.
  assert.deepEqual([...machine.encodeSnapshot(actual)], [...machine.encodeSnapshot(expected)]);
  assert.equal(machine.digest(actual), machine.digest(expected));
  // The one was asked after every entry, the other never before.
  assert.equal(machine.runningDigest?.(actual), machine.runningDigest?.(expected));
}

function replica(
  machine: Fixture['machine'],
  topic: MemoryTopic,
  node: string,
  entries: number,
): Replica<unknown, unknown, unknown> {
  const each = new Replica({
    machine,
    port: topic,
    writer: { node, incarnation: 'r' },
    snapshots: { entries, bytes: 1e9 },
    onIssue: ({ code, message }) => {
      assert.equal(code, 'BROKEN_ENTRY', message);
    },
  });
  each.onApplied(() => each.digest());
  return each;
}

/** Lets everything that was appended be read by those who follow. */
async function settle(
  topic: MemoryTopic,
  replicas: readonly Replica<unknown, unknown, unknown>[],
): Promise<void> {
  for (let turns = 0; turns < 1000; turns += 1) {
    const end = topic.endOffset;
    await new Promise(setImmediate);
    if (end === topic.endOffset && replicas.every(({ appliedOffset }) => appliedOffset === end)) return;
  }
  throw new Error('the replicas do not come to the end of the topic');
}

async function play(
  { machine, steps }: Fixture,
  topic: MemoryTopic,
  replicas: readonly Replica<unknown, unknown, unknown>[],
): Promise<void> {
  const encoders = new Map<string, EntryEncoder<unknown>>();
  for (const { by, entry, event, pick } of steps) {
    const key = `${by.node} ${by.incarnation}`;
    const encoder = encoders.get(key) ?? new EntryEncoder<unknown>(by);
    encoders.set(key, encoder);
    topic.add([encoder.encode(entry)]);
    const earlier = topic.history[pick % topic.history.length];
    if (event === 'repeat' && earlier !== undefined) topic.add([earlier.value]);
    if (event === 'garbage')
      topic.add([new TextEncoder().encode(['', '{', 'null', '{"v":2}', '\xff'][pick % 5])]);
    if (event === 'torn snapshot') {
      // Of a state that never was: whoever believes it differs from the fold.
      const parts = packSnapshot(`torn${pick}`, topic.endOffset, [
        { machine: machine.name, digest: machine.digest(machine.initial()), writers: 0 },
        'x'.repeat(300_000),
      ]);
      topic.add(parts.slice(0, 1));
    }
    if (event === 'read') await settle(topic, replicas);
  }
  await settle(topic, replicas);
}

for (const { name, check } of SUBJECTS) {
  test(`${name}: nodes that snapshot and trim at the same time, and a node that boots then, agree with the whole history`, async () => {
    await check(async (fixture) => {
      const { machine } = fixture;
      const topic = new MemoryTopic();
      const replicas = [replica(machine, topic, 'r1', 5), replica(machine, topic, 'r2', 7)];
      const stop = new AbortController();
      for (const each of replicas) await each.boot();
      const following = replicas.map((each) => each.follow(stop.signal));
      await play(fixture, topic, replicas);
      const late = replica(machine, topic, 'r3', 5);
      await late.boot();
      stop.abort();
      await Promise.all(following);
      const expected = fold(machine, topic);
      for (const each of [...replicas, late]) same(machine, each.state, expected);
    });
  });

  test(`${name}: an entry that stands twice changes nothing`, async () => {
    await check(async ({ machine, steps }) => {
      const topic = new MemoryTopic();
      const encoders = new Map<string, EntryEncoder<unknown>>();
      const values: Uint8Array[] = [];
      for (const { by, entry, pick } of steps) {
        const key = `${by.node} ${by.incarnation}`;
        const encoder = encoders.get(key) ?? new EntryEncoder<unknown>(by);
        encoders.set(key, encoder);
        values.push(encoder.encode(entry));
        topic.add(values.slice(-1));
        const before = fold(machine, topic);
        topic.add(values.slice(pick % values.length));
        same(machine, fold(machine, topic), before);
      }
    });
  });
}
