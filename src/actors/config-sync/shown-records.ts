/** Records as JSON, for people: runs in a thread of the planning pool, as converters and transforms are plugin code. */
import { BatchReader } from '../../log/batch.js';
import { asRetriable, DataError } from '../../sdk/errors.js';
import { JsonWriters, writeSchemaless } from '../../sdk/index.js';
import type { ConnectRecord, SinkRecord } from '../../sdk/record.js';
import type { Schema } from '../../sdk/schema.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import { toWireError } from '../kernel/wire-error.js';
import { sinkRecord, type SinkConversion } from '../sink-record.js';
import type { Run } from './topic-window.js';

const FORMAT = { decimalFormat: 'NUMERIC', replaceNullWithDefault: false } as const;
/** What a record that cannot be shown is told with, of its key, its value and each header. */
const MAX_RAW_BYTES = 64 * 1024;
const MAX_MESSAGE = 2000;
/** Of one record's text; beyond, it is told by its first bytes. */
const MAX_TEXT = 2 * 1024 * 1024;
/** So often a converter may say that it has to wait for something, for one record. */
const MAX_WAITS = 100;

/** Each record as a JSON object. One that cannot be converted has its error, and its bytes in base64. */
export async function shownRecords(runs: readonly Run[], conversion: SinkConversion): Promise<string[]> {
  const shown: string[] = [];
  for (const { topic, queue, baseOffset, bytes } of runs) {
    const reader = BatchReader.open(bytes, true);
    for (let index = 0; index < reader.count; index += 1) {
      const offset = baseOffset + index;
      const place = { topic, queue, offset, timestamp: reader.timestamp(index) };
      try {
        const record = await whenReady(() => sinkRecord(conversion, topic, queue, offset, reader, index));
        shown.push(record === null ? textOf(place, { dropped: true }) : shownAt(place, record));
      } catch (error) {
        shown.push(textOf(place, { error: shownError(error), raw: rawOf(reader, index) }));
      }
    }
  }
  return shown;
}

function shownAt(place: { readonly topic: string }, record: SinkRecord): string {
  const { topic, timestamp } = record;
  return shownRecord(
    { ...place, topic, timestamp, ...(topic !== place.topic && { original_topic: place.topic }) },
    record,
  );
}

/** A converter with a registry throws until it has its schema. */
export async function whenReady<T>(convert: () => T): Promise<T> {
  for (let waits = 0; ; waits += 1) {
    try {
      return convert();
    } catch (error) {
      const ready = asRetriable(error)?.ready ?? null;
      if (ready === null || waits >= MAX_WAITS) throw error;
      await ready;
    }
  }
}

export function shownError(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = toWireError(error);
  return { code: code ?? 'FAILED', message: hideSecrets(message).slice(0, MAX_MESSAGE) };
}

/** `place`: what stands before it. */
export function shownRecord(place: object, record: Omit<ConnectRecord, 'queue'>): string {
  const { keySchema, key, valueSchema, value, headers } = record;
  const parts = [
    `"key":${json(keySchema, key)}`,
    ...schemaPart('key_schema', keySchema),
    `"value":${json(valueSchema, value)}`,
    ...schemaPart('value_schema', valueSchema),
    `"headers":[${headers
      .map((header) => {
        const of = [`"key":${JSON.stringify(header.key)}`, `"value":${json(header.schema, header.value)}`];
        return `{${[...of, ...schemaPart('schema', header.schema)].join()}}`;
      })
      .join()}]`,
  ];
  const text = `${textOf(place, {}).slice(0, -1)},${parts.join()}}`;
  if (text.length <= MAX_TEXT) return withoutSecrets(text);
  throw new DataError(`the record would be ${text.length} characters, more than are shown`, {
    code: 'RECORD_TOO_LARGE',
  });
}

/** Strings and numbers of JSON. */
const LITERALS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Whoever may look at records need not be one who may read what the configuration refers to: a transform may write it into them. */
function withoutSecrets(json: string): string {
  return json.replace(LITERALS, (literal) => {
    if (!literal.startsWith('"')) return hideSecrets(literal) === literal ? literal : '"[hidden]"';
    const text = JSON.parse(literal) as string;
    const shown = hideSecrets(text);
    return shown === text ? literal : JSON.stringify(shown);
  });
}

const writers = new JsonWriters(FORMAT);

function json(schema: Schema | null | undefined, value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return schema === null || schema === undefined
    ? writeSchemaless(value, FORMAT.decimalFormat)
    : writers.of(schema)(value);
}

/** Enough to tell what a value is: whole schemas are much longer than values. */
function schemaPart(name: string, schema: Schema | null | undefined): readonly string[] {
  if (schema === null || schema === undefined) return [];
  const { type, optional, name: named, version } = schema;
  const told = {
    type,
    ...(optional && { optional }),
    ...(named !== undefined && { name: named }),
    ...(version !== undefined && { version }),
  };
  return [`"${name}":${JSON.stringify(told)}`];
}

function textOf(place: object, more: object): string {
  return JSON.stringify({ ...place, ...more });
}

function rawOf(reader: BatchReader, index: number): object {
  return {
    key: base64(reader.key(index)),
    value: base64(reader.value(index)),
    headers: reader.headers(index).map(([key, value]) => ({ key, value: base64(value) })),
  };
}

function base64(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const shown = bytes.subarray(0, MAX_RAW_BYTES);
  return Buffer.from(shown.buffer, shown.byteOffset, shown.byteLength).toString('base64');
}
