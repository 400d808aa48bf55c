import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryEncoder } from '#troupe/core/replica/envelope.js';
import { Replica, type Machine, type ReplicaIssue } from '#troupe/core/replica/replicated-state.js';
import { SubmitError } from '#troupe/core/replica/submissions.js';
import { MemoryTopic } from '../../property/replica/memory-topic.js';
import { until } from '../../support/wait.js';

/** A list of words; the result is the list's length. */
const words: Machine<string[], string, number> = {
  name: 'words',
  initial: () => [],
  apply: (state, entry) => {
    if (entry === 'throw') throw new Error('a mistake in a machine');
    state.push(entry);
    return { state, result: state.length };
  },
  decode: (value) => (typeof value === 'string' ? value : null),
  encodeSnapshot: (state) => state,
  decodeSnapshot: (items) => items.map(String),
  digest: (state) => state.join(),
};

interface Fixture {
  readonly topic: MemoryTopic;
  readonly replica: Replica<string[], string, number>;
  readonly issues: ReplicaIssue[];
  readonly following: Promise<void>;
  readonly stop: () => Promise<void>;
}

async function following(entries = 1000, topic = new MemoryTopic()): Promise<Fixture> {
  const issues: ReplicaIssue[] = [];
  const replica = new Replica({
    machine: words,
    port: topic,
    writer: { node: 'n', incarnation: `i${topic.endOffset}` },
    snapshots: { entries, bytes: 1e9 },
    onIssue: (issue) => issues.push(issue),
  });
  await replica.boot();
  const controller = new AbortController();
  const loop = replica.follow(controller.signal);
  loop.catch(() => undefined);
  const stop = async (): Promise<void> => {
    controller.abort();
    await loop;
  };
  return { topic, replica, issues, following: loop, stop };
}

function foreign(topic: MemoryTopic, ...entries: readonly unknown[]): void {
  const encoder = new EntryEncoder<unknown>({ node: 'f', incarnation: `f${topic.endOffset}` });
  topic.add(entries.map((entry) => encoder.encode(entry)));
}

test('each of many entries submitted at once gets its own result, and they share appends', async () => {
  const { topic, replica, stop } = await following();
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => replica.submit(`w${i}`)));
  assert.deepEqual(
    results,
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  assert.equal(topic.appends, 2);
  await stop();
});

test('an append that is repeated because its outcome was unknown takes effect once', async () => {
  const { topic, replica, stop } = await following();
  topic.beforeAppend = async (values) => {
    topic.beforeAppend = () => Promise.resolve();
    topic.add(values);
  };
  assert.equal(await replica.submit('once'), 1);
  assert.equal(await replica.submit('next'), 2);
  assert.deepEqual(replica.state, ['once', 'next']);
  assert.equal(topic.endOffset, 3);
  await stop();
});

test('a refused append rejects what was in it, and later entries go on', async () => {
  const { topic, replica, stop } = await following();
  topic.beforeAppend = () => Promise.reject(new Error('the log is full'));
  await assert.rejects(replica.submit('lost'), /the log is full/);
  topic.beforeAppend = () => Promise.resolve();
  assert.equal(await replica.submit('kept'), 1);
  await stop();
});

test('an append that fails after it was done, and read back, still gives its result', async () => {
  const { topic, replica, stop } = await following();
  topic.beforeAppend = async (values) => {
    topic.add(values);
    while (replica.appliedOffset < topic.endOffset) await new Promise(setImmediate);
    throw new Error('the answer was lost');
  };
  assert.equal(await replica.submit('done'), 1);
  await stop();
});

test('broken entries, and a machine that fails on one, do not stop the loop', async () => {
  const { topic, replica, issues, stop } = await following();
  foreign(topic, 'a', 7, 'throw', { x: 1 });
  topic.add([new Uint8Array([0xff, 0xfe]), new Uint8Array()]);
  assert.equal(await replica.submit('b'), 2);
  assert.deepEqual(replica.state, ['a', 'b']);
  assert.equal(replica.skipped, 5);
  assert.deepEqual(
    issues.map(({ code }) => code),
    ['BROKEN_ENTRY', 'ENTRY_FAILED', 'BROKEN_ENTRY', 'BROKEN_ENTRY', 'BROKEN_ENTRY'],
  );
  await assert.rejects(replica.submit('throw'), /a mistake in a machine/);
  await stop();
});

test('what waits is told when the replica stops, and nothing is taken any more', async () => {
  const { topic, replica, stop } = await following();
  topic.beforeAppend = () => new Promise(() => undefined);
  const waiting = replica.submit('never');
  const stopped = (error: unknown): boolean =>
    error instanceof SubmitError && error.code === 'SUBMIT_STOPPED';
  const told = assert.rejects(waiting, stopped);
  await stop();
  await told;
  await assert.rejects(replica.submit('late'), stopped);
});

test('more entries than may wait are refused and not appended', async () => {
  const { topic, replica, stop } = await following();
  topic.beforeAppend = () => new Promise(() => undefined);
  const waiting = Array.from({ length: 10_000 }, () => replica.submit('w').catch(() => 0));
  await assert.rejects(replica.submit('one too many'), { code: 'SUBMIT_BUSY' });
  await stop();
  await Promise.all(waiting);
});

test('a read that fails ends the loop with its error', async () => {
  const { topic, replica, following: loop } = await following();
  topic.read = () => Promise.reject(new Error('the log is corrupt'));
  foreign(topic, 'a');
  await assert.rejects(loop, /the log is corrupt/);
  await assert.rejects(replica.submit('b'), { code: 'SUBMIT_STOPPED' });
});

test('a snapshot keeps the topic short', async () => {
  const { topic, replica, stop } = await following(10);
  for (let i = 0; i < 100; i += 1) await replica.submit(`w${i}`);
  await stop();
  assert.ok(topic.records.length < 30, `${topic.records.length} records are left`);
  const late = await following(10, topic);
  assert.equal(late.replica.digest(), replica.digest());
  await late.stop();
});

test('a snapshot that cannot be written is reported, and tried again later', async () => {
  const { topic, replica, issues, stop } = await following(10);
  topic.beforeAppend = (values) =>
    values.some((value) => Buffer.from(value).includes('"snapshot"'))
      ? Promise.reject(new Error('the log is full'))
      : Promise.resolve();
  for (let i = 0; i < 40; i += 1) await replica.submit(`w${i}`);
  const failures = issues.length;
  assert.ok(failures >= 2 && failures <= 6, `${failures} tries`);
  assert.equal(topic.startOffset, 0);
  topic.beforeAppend = () => Promise.resolve();
  for (let i = 0; i < 20; i += 1) await replica.submit(`x${i}`);
  assert.ok(topic.startOffset > 0);
  await stop();
});

test('a node that was overtaken by trimming goes on from the snapshot', async () => {
  const topic = new MemoryTopic();
  const slow = await following(1000, topic);
  let replaced = 0;
  slow.replica.onReplaced(() => (replaced += 1));
  await slow.replica.submit('seen');
  // Its next reads are late: by then others wrote, snapshot and trimmed.
  const read = topic.read.bind(topic);
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  topic.read = async (from, waitMs, signal) => {
    const result = await read(from, waitMs, signal);
    await gate;
    return from < topic.startOffset ? read(from, waitMs, signal) : result;
  };
  foreign(topic, 'wake');
  await new Promise(setImmediate);
  const mine = slow.replica.submit('mine');
  const overtaken = assert.rejects(mine, { code: 'SUBMIT_OVERTAKEN' });
  await new Promise(setImmediate);
  topic.read = read;
  const other = await following(5, topic);
  for (let i = 0; i < 20; i += 1) await other.replica.submit(`w${i}`);
  assert.ok(topic.startOffset > 3);
  open();
  await overtaken;
  foreign(topic, 'last');
  while (slow.replica.appliedOffset < topic.endOffset) await new Promise(setImmediate);
  assert.equal(replaced, 1);
  assert.deepEqual(slow.replica.state.slice(0, 3), ['seen', 'wake', 'mine']);
  assert.equal(slow.replica.digest(), other.replica.digest());
  await slow.stop();
  await other.stop();
});

test('a topic that lost its beginning and has no snapshot is reported, and what is left is used', async () => {
  const topic = new MemoryTopic();
  foreign(topic, 'a', 'b', 'c');
  await topic.trim(1);
  const { replica, issues, stop } = await following(1000, topic);
  assert.deepEqual(replica.state, ['b', 'c']);
  assert.deepEqual(
    issues.map(({ code }) => code),
    ['ENTRIES_MISSING'],
  );
  await stop();
});

test('an entry that is gone before it was read back is not waited for', async () => {
  const { topic, replica, stop } = await following();
  await replica.submit('seen');
  topic.append = (values) => {
    topic.startOffset = topic.endOffset + values.length;
    return Promise.resolve(topic.add(values));
  };
  let told: unknown = null;
  replica.submit('gone').catch((error: unknown) => (told = error));
  await until('it is told', () => told);
  assert.ok(told instanceof SubmitError && told.code === 'SUBMIT_OVERTAKEN');
  await stop();
});

test('the newest snapshot is found in a long topic without reading all of it', async () => {
  const topic = new MemoryTopic();
  topic.trim = () => Promise.resolve();
  const writer = await following(10, topic);
  for (let i = 0; i < 500; i += 1) await writer.replica.submit(`w${i}`);
  await writer.stop();
  let reads = 0;
  const read = topic.read.bind(topic);
  topic.read = (from, waitMs, signal) => {
    reads += 1;
    return read(from, waitMs, signal);
  };
  const late = await following(10, topic);
  assert.equal(late.replica.digest(), writer.replica.digest());
  assert.ok(reads < 20, `${reads} reads`);
  await late.stop();
});
