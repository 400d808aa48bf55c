import {
  DataError,
  isSinkRecord,
  validateValue,
  withHeaders,
  withKey,
  withTimestamp,
  withTopic,
  withValue,
  type ConnectRecord,
  type Header,
  type Plugin,
  type Schema,
  type Transform,
} from '@troupe/sdk';
import { Sandbox } from './sandbox.js';
import { decode, encode } from './wire.js';

/** Each record as a function in JavaScript makes it. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'script',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'A function in JavaScript that is given each record, and gives one: `(record) => { record.value.total *= 2; return record; }`; null drops it. It sees the record and nothing else: no process, no files, no network.',
    },
    {
      name: 'schema',
      type: 'STRING',
      defaultValue: 'keep',
      allowed: ['keep', 'drop'],
      importance: 'MEDIUM',
      documentation:
        'keep: what the script gives has the schemas that key and value had, and must fit them. drop: it has none; SchemaInfer makes one.',
    },
    {
      name: 'timeout.ms',
      type: 'INT',
      defaultValue: '1000',
      min: 1,
      max: 10_000,
      importance: 'LOW',
      documentation:
        'A script that runs longer for a record is ended, and the record a bad one. Time in which its thread has to wait does not count.',
    },
    {
      name: 'memory.max',
      type: 'SIZE',
      defaultValue: '16MiB',
      min: 1_048_576,
      max: 268_435_456,
      importance: 'LOW',
      documentation: 'What a script may have in memory, with the record that it is given.',
    },
  ],
  create: (config) => {
    const sandbox = new Sandbox(config.string('script'), {
      timeoutMs: config.int('timeout.ms'),
      memoryBytes: config.size('memory.max'),
    });
    const keeps = config.string('schema') === 'keep';
    return {
      apply: (record) => applied(sandbox, keeps, record),
      close: () => {
        sandbox.close();
      },
    };
  },
};

function applied<R extends ConnectRecord>(sandbox: Sandbox, keeps: boolean, record: R): R | null {
  const out: unknown = JSON.parse(sandbox.call(textOf(record)));
  if (out === null) return null;
  // The prelude has made it.
  const { topic, timestamp, key, value, headers } = out as Readonly<Record<string, unknown>>;
  let result = record;
  if (topic !== record.topic) result = withTopic(result, topicOf(topic));
  if (timestamp !== record.timestamp) result = withTimestamp(result, timeOf(timestamp));
  result = withKey(result, ...fitting(record.keySchema, key, keeps, 'key'));
  result = withValue(result, ...fitting(record.valueSchema, value, keeps, 'value'));
  return withHeaders(result, headersOf(record.headers, headers));
}

function textOf(record: ConnectRecord): string {
  const { topic, queue, timestamp, key, value, headers } = record;
  return JSON.stringify({
    topic,
    queue,
    ...(isSinkRecord(record) && { offset: record.offset }),
    timestamp,
    key: encode(key),
    value: encode(value),
    headers: headers.map((header) => [header.key, encode(header.value)]),
  });
}

function topicOf(topic: unknown): string {
  if (typeof topic === 'string' && topic !== '') return topic;
  throw failed('the topic that it gives must be a text that is not empty');
}

function timeOf(timestamp: unknown): number {
  if (typeof timestamp === 'number' && Number.isSafeInteger(timestamp)) return timestamp;
  throw failed('the timestamp that it gives must be whole milliseconds since 1970');
}

function fitting(
  schema: Schema | null,
  json: unknown,
  keeps: boolean,
  path: string,
): readonly [Schema | null, unknown] {
  const value = decode(json);
  if (schema === null || !keeps) return [null, value];
  try {
    validateValue(schema, value, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failed(`what it gives does not fit the schema: ${reason}. With schema=drop it has none`, error);
  }
  return [schema, value];
}

function headersOf(before: readonly Header[], headers: unknown): readonly Header[] {
  return (headers as readonly (readonly unknown[])[]).map(([key, json, place]) => {
    if (typeof key !== 'string') throw failed('the key of a header must be a text');
    const schema = typeof place === 'number' ? (before[place]?.schema ?? null) : null;
    const [, value] = fitting(schema, json, true, `headers.${key}`);
    return { key, schema, value };
  });
}

function failed(message: string, cause?: unknown): DataError {
  return new DataError(message, { code: 'SCRIPT_FAILED', cause });
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
