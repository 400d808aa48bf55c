/** The log as plain arrays, and random calls that must find both alike. */
import assert from 'node:assert/strict';

import fc from 'fast-check';

import type { Log, LogCapabilities, LogErrorCode } from '#troupe/log/log.js';
import { LogError } from '#troupe/log/log.js';

import { batchOf, textsOf } from './log-batches.js';

interface ModelQueue {
  start: number;
  readonly texts: string[];
}

export class LogModel {
  readonly topics = new Map<string, ModelQueue[]>();
  readonly groups = new Map<string, Map<string, number>>();
  readonly fences = new Map<string, number>();

  queue(topic: string, queue: number): ModelQueue | LogErrorCode {
    const queues = this.topics.get(topic);
    if (queues === undefined) return 'LOG_UNKNOWN_TOPIC';
    return queues[queue] ?? 'LOG_UNKNOWN_QUEUE';
  }
}

export interface Real {
  log: Log;
  readonly target: { reopen(): Promise<Log> };
}

type Command = fc.AsyncCommand<LogModel, Real>;

class Call implements Command {
  readonly #text: string;
  readonly #run: (model: LogModel, real: Real) => Promise<void>;

  constructor(text: string, run: (model: LogModel, real: Real) => Promise<void>) {
    this.#text = text;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(model: LogModel, real: Real): Promise<void> {
    return this.#run(model, real);
  }

  toString(): string {
    return this.#text;
  }
}

const topicName = fc.constantFrom('a', 'b');
const queueNumber = fc.nat(2);
const groupName = fc.constantFrom('g', 'h');
const values = fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 5 });
/** A place in the queue as a share of it, so that it hits. */
const place = fc.double({ min: 0, max: 1, noNaN: true });

export function logCommands(capabilities: LogCapabilities): fc.Arbitrary<Command>[] {
  const commands = [
    fc.record({ topic: topicName, queues: fc.integer({ min: 1, max: 3 }) }).map(createTopic),
    topicName.map(deleteTopic),
    fc
      .record({
        entries: fc.array(fc.record({ topic: topicName, queue: queueNumber, values }), {
          minLength: 1,
          maxLength: 3,
        }),
        epoch: fc.option(fc.nat(3)),
      })
      .map(append),
    fc
      .record({
        topic: topicName,
        queue: queueNumber,
        place,
        maxBytes: fc.integer({ min: 1, max: 500 }),
        maxRecords: fc.integer({ min: 1, max: 8 }),
      })
      .map(read),
    fc.record({ group: groupName, topic: topicName, queue: queueNumber, offset: fc.nat(20) }).map(commit),
    groupName.map(committed),
    groupName.map(deleteGroup),
    fc.constant(new Call('reopen', async (_model, real) => void (real.log = await real.target.reopen()))),
  ];
  if (capabilities.trim) commands.push(fc.record({ topic: topicName, queue: queueNumber, place }).map(trim));
  if (capabilities.fencing) commands.push(fc.nat(3).map(fence));
  return commands;
}

function createTopic({ topic, queues }: { topic: string; queues: number }): Call {
  return new Call(`createTopic ${topic} ${queues}`, async (model, { log }) => {
    const existing = model.topics.get(topic);
    const created = await log.createTopic(topic, { queues, retentionMs: null, retentionBytes: null });
    assert.equal(created.queues, existing?.length ?? queues);
    if (existing === undefined)
      model.topics.set(
        topic,
        Array.from({ length: queues }, () => ({ start: 0, texts: [] })),
      );
    assert.deepEqual(
      (await log.listTopics()).map(({ name }) => name).sort(),
      [...model.topics.keys()].sort(),
    );
  });
}

function deleteTopic(topic: string): Call {
  return new Call(`deleteTopic ${topic}`, async (model, { log }) => {
    await same(log.deleteTopic(topic), model.topics.has(topic) ? null : 'LOG_UNKNOWN_TOPIC');
    model.topics.delete(topic);
    for (const offsets of model.groups.values()) {
      for (const key of [...offsets.keys()]) if (key.startsWith(`${topic}/`)) offsets.delete(key);
    }
  });
}

interface AppendCall {
  entries: { topic: string; queue: number; values: string[] }[];
  epoch: number | null;
}

function append({ entries, epoch }: AppendCall): Call {
  const fence = epoch === null ? {} : { fence: { key: 'f', epoch } };
  return new Call(`append ${JSON.stringify({ entries, epoch })}`, async (model, { log }) => {
    const queues = entries.map(({ topic, queue }) => model.queue(topic, queue));
    const fenced = epoch !== null && log.capabilities.fencing && epoch < (model.fences.get('f') ?? 0);
    const refusal = fenced ? 'LOG_FENCED' : (queues.find((queue) => typeof queue === 'string') ?? null);
    const request = {
      entries: entries.map(({ topic, queue, values: texts }) => ({ topic, queue, batch: batchOf(texts) })),
      ...fence,
    };
    const offsets = await same(log.append(request), refusal);
    const expected = queues.map((queue, i) =>
      typeof queue === 'string' || refusal !== null
        ? -1
        : queue.texts.push(...(entries[i]?.values ?? [])) - (entries[i]?.values.length ?? 0),
    );
    if (refusal === null) assert.deepEqual(offsets, expected);
  });
}

interface ReadCall {
  topic: string;
  queue: number;
  place: number;
  maxBytes: number;
  maxRecords: number;
}

function read({ topic, queue, place: share, maxBytes, maxRecords }: ReadCall): Call {
  return new Call(
    `read ${topic}/${queue} at ${share} max ${maxBytes} bytes ${maxRecords} records`,
    async (model, { log }) => {
      const expected = model.queue(topic, queue);
      const end = typeof expected === 'string' ? 0 : expected.texts.length;
      const offset = Math.round(share * end);
      const call = log.read({ topic, queue, offset, maxBytes, maxRecords, waitMs: 0 });
      const result = await same(call, typeof expected === 'string' ? expected : null);
      if (result === null || typeof expected === 'string') return;
      const from = Math.max(offset, expected.start);
      assert.equal(result.startOffset, expected.start);
      assert.equal(result.endOffset, end);
      assert.deepEqual(textsOf(result.batches, from), expected.texts.slice(from, result.nextOffset));
      if (from === end) {
        assert.equal(result.nextOffset, from);
        return;
      }
      assert.ok(result.nextOffset > from, 'a read must bring something when there is something');
      if (result.batches.length === 1) return;
      assert.ok(result.batches.reduce((sum, { batch }) => sum + batch.bytes.byteLength, 0) <= maxBytes);
      assert.ok(result.nextOffset - from <= maxRecords);
    },
  );
}

function trim({ topic, queue, place: share }: { topic: string; queue: number; place: number }): Call {
  return new Call(`trim ${topic}/${queue} to ${share}`, async (model, { log }) => {
    const expected = model.queue(topic, queue);
    const offset = typeof expected === 'string' ? 0 : Math.round(share * expected.texts.length);
    await same(log.trim(topic, queue, offset), typeof expected === 'string' ? expected : null);
    if (typeof expected !== 'string') expected.start = Math.max(expected.start, offset);
  });
}

function fence(epoch: number): Call {
  return new Call(`fence ${epoch}`, async (model, { log }) => {
    const current = model.fences.get('f') ?? 0;
    await same(log.fence({ key: 'f', epoch }), epoch < current ? 'LOG_FENCED' : null);
    model.fences.set('f', Math.max(current, epoch));
  });
}

function commit({
  group,
  topic,
  queue,
  offset,
}: {
  group: string;
  topic: string;
  queue: number;
  offset: number;
}): Call {
  return new Call(`commit ${group} ${topic}/${queue} ${offset}`, async (model, { log }) => {
    const expected = model.queue(topic, queue);
    await same(
      log.commitOffsets(group, [{ topic, queue, offset }]),
      typeof expected === 'string' ? expected : null,
    );
    if (typeof expected === 'string') return;
    const offsets = model.groups.get(group) ?? new Map<string, number>();
    model.groups.set(group, offsets.set(`${topic}/${queue}`, offset));
  });
}

function committed(group: string): Call {
  return new Call(`committed ${group}`, async (model, { log }) => {
    const found = (await log.committedOffsets(group)).map(({ topic, queue, offset }): [string, number] => [
      `${topic}/${queue}`,
      offset,
    ]);
    assert.deepEqual(new Map(found.sort()), new Map([...(model.groups.get(group) ?? [])].sort()));
    const expected = [...model.groups].filter(([, offsets]) => offsets.size > 0).map(([name]) => name);
    const listed = await log.listGroups();
    for (const name of expected) assert.ok(listed.includes(name), `group ${name} is not listed`);
  });
}

function deleteGroup(group: string): Call {
  return new Call(`deleteGroup ${group}`, async (model, { log }) => {
    await log.deleteGroup(group);
    model.groups.delete(group);
  });
}

/** The result, or null when it was refused as expected. */
async function same<T>(call: Promise<T>, refusal: LogErrorCode | null): Promise<T | null> {
  if (refusal === null) return call;
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof LogError, String(error));
    assert.equal(error.code, refusal, error.message);
    return true;
  });
  return null;
}
