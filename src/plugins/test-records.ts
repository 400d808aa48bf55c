/** Records as tests of transforms write them down: JSON, with schemas in the notation of Kafka Connect's JsonConverter. */
import { parseConfig } from '../sdk/config-parse.js';
import { Decimal } from '../sdk/decimal.js';
import { ConfigError } from '../sdk/errors.js';
import { jsonString, parseJson } from '../sdk/index.js';
import type { ConverterInstance } from '../sdk/plugin.js';
import { sourceRecord, type ConnectRecord, type Header, type SinkRecord } from '../sdk/record.js';
import type { Schema } from '../sdk/schema.js';
import { isFields, setField, type Fields } from '../sdk/value.js';
import { findPlugin, type PluginCatalog } from './catalog.js';
import { loadPluginOf } from './load.js';

const FIELDS = [
  'topic',
  'queue',
  'offset',
  'timestamp',
  'key',
  'keySchema',
  'value',
  'valueSchema',
  'headers',
];

export type RecordNotation = Readonly<Record<string, unknown>>;

export class TestRecords {
  readonly #converter: ConverterInstance;

  private constructor(converter: ConverterInstance) {
    this.#converter = converter;
  }

  static async create(catalog: PluginCatalog): Promise<TestRecords> {
    const plugin = await loadPluginOf('converter', findPlugin(catalog, 'converter', 'JsonConverter'));
    const { config } = parseConfig(plugin.config, { 'schemas.enable': 'true' });
    return new TestRecords(plugin.create(config, { isKey: false }));
  }

  /** A record of a sink where it has an offset, else of a source. Throws ConfigError. */
  read(given: unknown, at: string): ConnectRecord {
    if (!isFields(given)) throw wrong(at, 'must be a record, an object');
    checkFields(given, at);
    const { topic = null, queue = null, offset, timestamp = null } = given;
    if (topic !== null && typeof topic !== 'string') throw wrong(`${at}.topic`, 'must be a text or null');
    for (const [name, number] of Object.entries({ queue, offset: offset ?? null, timestamp }))
      if (number !== null && !Number.isSafeInteger(number))
        throw wrong(`${at}.${name}`, 'must be a whole number');
    const key = this.#value(given, 'key', at);
    const value = this.#value(given, 'value', at);
    const record = sourceRecord({
      topic,
      queue: queue as number | null,
      timestamp: timestamp as number | null,
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      headers: headersOf(given['headers'] ?? [], `${at}.headers`),
      sourcePartition: { test: at },
      sourcePosition: { test: at },
    });
    return offset === undefined ? record : ofSink(record, Number(offset), given['value'] === undefined);
  }

  #value(given: Fields, name: 'key' | 'value', at: string): { schema: Schema | null; value: unknown } {
    const payload = given[name] ?? null;
    const schema = given[`${name}Schema`] ?? null;
    if (schema === null) return { schema: null, value: payload };
    try {
      return this.#converter.toConnectData('', exactText({ schema, payload }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw wrong(`${at}.${name}`, `does not fit its schema: ${reason}`);
    }
  }

  /** Everything that may be expected of a record. */
  shown(record: ConnectRecord): RecordNotation {
    return {
      topic: record.topic,
      queue: record.queue,
      timestamp: record.timestamp,
      ...this.#shownValue('key', record.keySchema, record.key),
      ...this.#shownValue('value', record.valueSchema, record.value),
      headers: shownHeaders(record.headers),
    };
  }

  #shownValue(name: string, schema: Schema | null, value: unknown): Fields {
    if (schema === null) return { [name]: plain(value), [`${name}Schema`]: null };
    const text = this.#converter.fromConnectData('', schema, value);
    const envelope = text === null ? null : parseJson(Buffer.from(text).toString('utf8'));
    if (!isFields(envelope)) return { [name]: null, [`${name}Schema`]: null };
    return { [name]: envelope['payload'], [`${name}Schema`]: envelope['schema'] };
  }
}

export function checkFields(given: Fields, at: string): void {
  const unknown = Object.keys(given).find((field) => !FIELDS.includes(field));
  if (unknown !== undefined)
    throw wrong(`${at}.${unknown.slice(0, 100)}`, `is unknown; a record has ${FIELDS.join(', ')}`);
}

export function wrong(field: string, reason: string): ConfigError {
  return new ConfigError(`${field} ${reason}`, { field });
}

/** `{name: value}`, or `[{key, value}]` where a name stands several times. */
function headersOf(given: unknown, at: string): readonly Header[] {
  if (isFields(given)) return Object.entries(given).map(([key, value]) => ({ key, schema: null, value }));
  if (!Array.isArray(given)) throw wrong(at, 'must be {name: value}, or [{key, value}]');
  return (given as readonly unknown[]).map((item) => {
    const { key, value } = isFields(item) ? item : {};
    if (typeof key !== 'string') throw wrong(at, 'must be {name: value}, or [{key, value}]');
    return { key, schema: null, value: value ?? null };
  });
}

function shownHeaders(headers: readonly Header[]): unknown {
  const shown: Record<string, unknown> = {};
  for (const { key, value } of headers) setField(shown, key, plain(value));
  const isUnique = Object.keys(shown).length === headers.length;
  return isUnique ? shown : headers.map(({ key, value }) => ({ key, value: plain(value) }));
}

function ofSink(record: ConnectRecord, offset: number, tombstone: boolean): SinkRecord {
  const { topic, queue } = record;
  const place = { topic: topic ?? '', queue: queue ?? 0, offset };
  return {
    ...record,
    ...place,
    originalTopic: place.topic,
    originalQueue: place.queue,
    originalOffset: offset,
    tombstone,
    transaction: null,
  };
}

/** What JSON does not have as JSON that can be compared: times in ISO 8601, bytes as base64, decimals as text. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  const entries: Iterable<readonly [unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  const fields: Record<string, unknown> = {};
  for (const [key, item] of entries) setField(fields, String(key), plain(item));
  return fields;
}

/** JSON in which whole numbers have all their digits. */
export function exactText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return jsonString(value);
  if (Array.isArray(value)) return `[${value.map(exactText).join(',')}]`;
  if (!isFields(value)) return JSON.stringify(value ?? null);
  return `{${Object.entries(value)
    .map(([name, item]) => `${jsonString(name)}:${exactText(item)}`)
    .join(',')}}`;
}
