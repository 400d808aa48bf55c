/**
 * What plugins return, checked where it enters: a plugin in JavaScript may return anything. Errors name the plugin, its
 * method, the field and what is allowed. All of this is on the path of every record, so the good ones are told first.
 */
import type { ConfigIssue } from '../sdk/config.js';
import { ConfigError, ConnectError, DataError } from '../sdk/errors.js';
import type { RawConfig, SchemaAndValue, SinkTask, SourceTask } from '../sdk/plugin.js';
import type { ConnectRecord, JsonObject, JsonValue, RecordTransaction, SourceRecord } from '../sdk/record.js';
import { describeValue, isFields } from '../sdk/value.js';

export const PLUGIN_CONTRACT = 'PLUGIN_CONTRACT';

/**
 * One source's polls. Within one, partitions, and what stands in positions, are often the same objects again, which need
 * no second look.
 */
export class PolledRecords {
  readonly #connector: string;
  #lastPartition: unknown = null;
  /** An object that stood in the last position. */
  #lastInPosition: unknown = null;

  constructor(connector: string) {
    this.#connector = connector;
  }

  /** In JavaScript, and by Kafka's convention, nothing may also be null. Throws ConnectError PLUGIN_CONTRACT. */
  check(polled: unknown): readonly SourceRecord[] {
    if (polled === null || polled === undefined) return [];
    if (!Array.isArray(polled)) throw this.#mistake('', polled, 'an array of records, or null');
    const records: readonly unknown[] = polled;
    this.#lastPartition = null;
    this.#lastInPosition = null;
    for (let i = 0; i < records.length; i += 1)
      if (!this.#isGood(records[i])) throw this.#problem(records[i], `[${i}]`);
    // Each has just been looked at.
    return polled as readonly SourceRecord[];
  }

  #isGood(record: unknown): boolean {
    // Its fields are looked at one by one.
    const fields = record as Partial<SourceRecord> | null | undefined;
    if (typeof fields !== 'object' || fields === null || !isConnectRecord(fields)) return false;
    const { sourcePartition, sourcePosition, transaction } = fields;
    if (transaction !== undefined && transaction !== null && !isTransaction(transaction)) return false;
    if (sourcePartition !== this.#lastPartition) {
      if (!isJsonObject(sourcePartition)) return false;
      this.#lastPartition = sourcePartition;
    }
    return this.#isPosition(sourcePosition);
  }

  #isPosition(position: unknown): boolean {
    if (!isFields(position)) return false;
    for (const name in position) {
      const item = position[name];
      if (isJsonScalar(item) || item === this.#lastInPosition) continue;
      if (!isJson(item, 0)) return false;
      this.#lastInPosition = item;
    }
    return true;
  }

  #problem(record: unknown, place: string): ConnectError {
    if (typeof record !== 'object' || record === null) return this.#mistake(place, record, 'a record');
    for (const [field, isRight, allowed] of [...RECORD_FIELDS, ...SOURCE_FIELDS]) {
      const value: unknown = Reflect.get(record, field);
      if (!isRight(value)) return this.#mistake(`${place}.${field}`, value, allowed);
    }
    return this.#mistake(place, record, 'a record');
  }

  #mistake(place: string, found: unknown, allowed: string): ConnectError {
    const advice = place === '' ? '' : '. sourceRecord of the SDK makes whole ones';
    return new ConnectError(
      `${mistake(`the connector ${this.#connector}`, 'poll', place, found, allowed)}${advice}`,
      { code: PLUGIN_CONTRACT },
    );
  }
}

type Check = readonly [field: string, isRight: (value: unknown) => boolean, allowed: string];

const isNullable =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || is(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isSchema = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

const A_SCHEMA = 'a Schema, as SchemaBuilder.build() gives it, or null';

const RECORD_FIELDS: readonly Check[] = [
  ['topic', isNullable(isText), 'a text, or null for the topic of the configuration'],
  ['queue', isNullable(Number.isInteger), 'the number of a queue, or null'],
  ['keySchema', isNullable(isSchema), A_SCHEMA],
  ['valueSchema', isNullable(isSchema), A_SCHEMA],
  ['timestamp', isNullable(Number.isFinite), 'milliseconds since 1970, or null for the time of reading'],
  ['headers', isHeaders, 'an array of { key, schema, value }'],
];

export const OF_JSON = 'an object of JSON values (no undefined, NaN, bigint or Date)';
const MAX_TRANSACTION_ID = 200;
const SOURCE_FIELDS: readonly Check[] = [
  ['sourcePartition', isJsonObject, OF_JSON],
  ['sourcePosition', isJsonObject, OF_JSON],
  [
    'transaction',
    (value) => value === undefined || value === null || isTransaction(value),
    `{ id, end }, an id of 1 to ${MAX_TRANSACTION_ID} characters and true or false, or null`,
  ],
];

export function isTransaction(value: unknown): value is RecordTransaction {
  if (typeof value !== 'object' || value === null) return false;
  const { id, end }: { readonly id?: unknown; readonly end?: unknown } = value;
  return (
    typeof id === 'string' && id.length > 0 && id.length <= MAX_TRANSACTION_ID && typeof end === 'boolean'
  );
}

/** The same as RECORD_FIELDS say, at the speed of the record path. */
function isConnectRecord({
  topic,
  queue,
  keySchema,
  valueSchema,
  timestamp,
  headers,
}: Partial<ConnectRecord>): boolean {
  return (
    (topic === null || typeof topic === 'string') &&
    (queue === null || Number.isInteger(queue)) &&
    (keySchema === null || isSchema(keySchema)) &&
    (valueSchema === null || isSchema(valueSchema)) &&
    (timestamp === null || Number.isFinite(timestamp)) &&
    isHeaders(headers)
  );
}

function isHeaders(headers: unknown): boolean {
  if (!Array.isArray(headers)) return false;
  if (headers.length === 0) return true;
  for (const header of headers as readonly unknown[])
    if (typeof header !== 'object' || header === null || !('key' in header) || typeof header.key !== 'string')
      return false;
  return true;
}

/** Deeper ones are nobody's position, and an object may hold itself. */
const MAX_DEPTH = 50;

export function isJsonObject(value: unknown): value is JsonObject {
  if (!isFields(value)) return false;
  for (const name in value) {
    const item = value[name];
    if (!isJsonScalar(item) && !isJson(item, 0)) return false;
  }
  return true;
}

/** Most fields of positions are; the whole look would cost more. */
function isJsonScalar(value: unknown): boolean {
  const type = typeof value;
  return type === 'number' ? Number.isFinite(value) : type === 'string' || type === 'boolean';
}

export function isJsonValue(value: unknown): value is JsonValue {
  return isJson(value, 0);
}

function isJson(value: unknown, depth: number): boolean {
  if (value === null) return true;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (depth > MAX_DEPTH) return false;
      if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
      return isFields(value) && Object.values(value).every((item) => isJson(item, depth + 1));
    default:
      return false;
  }
}

/** Throws DataError PLUGIN_CONTRACT where a transform gave something else than a record or null. */
export function checkTransformed(applied: unknown): void {
  const record = applied as Partial<ConnectRecord> | null | undefined;
  if (record === null || (typeof record === 'object' && isConnectRecord(record))) return;
  if (typeof record === 'object')
    for (const [field, isRight, allowed] of RECORD_FIELDS) {
      const value: unknown = Reflect.get(record, field);
      if (!isRight(value)) throw badReturn('it', 'apply', `.${field}`, value, allowed, applied);
    }
  throw badReturn('it', 'apply', '', applied, 'a record, or null to drop it', applied);
}

/** Throws DataError PLUGIN_CONTRACT. */
export function checkTested(tested: unknown): boolean {
  if (typeof tested === 'boolean') return tested;
  throw badReturn('its predicate', 'test', '', tested, 'true or false', tested);
}

/** Throws DataError PLUGIN_CONTRACT. */
export function checkSerialised(
  part: 'key' | 'value' | 'header',
  data: Uint8Array | string | null,
): Uint8Array | string | null {
  if (data === null || typeof data === 'string' || data instanceof Uint8Array) return data;
  throw badReturn(`${part}.converter`, 'fromConnectData', '', data, 'bytes, a text or null', data);
}

/** Throws DataError PLUGIN_CONTRACT. */
export function checkConverted(part: 'key' | 'value' | 'header', converted: SchemaAndValue): SchemaAndValue {
  const given: Partial<SchemaAndValue> | null | undefined = converted;
  if (typeof given === 'object' && given !== null && 'value' in given) {
    const { schema } = given;
    if (schema === null || isSchema(schema)) return converted;
    throw badReturn(`${part}.converter`, 'toConnectData', '.schema', schema, A_SCHEMA, converted);
  }
  throw badReturn(`${part}.converter`, 'toConnectData', '', converted, '{ schema, value }', converted);
}

const TASK_METHODS = {
  source: ['start', 'poll', 'stop'],
  sink: ['start', 'put', 'flush', 'stop'],
} as const;

/** Throws ConfigError PLUGIN_CONTRACT: no other start would give another task. */
export function checkTask<T extends SourceTask | SinkTask>(
  kind: 'source' | 'sink',
  connector: string,
  task: T,
): T {
  const given: unknown = task;
  const missing = TASK_METHODS[kind].find(
    (name) => typeof given !== 'object' || given === null || typeof Reflect.get(given, name) !== 'function',
  );
  if (missing === undefined) return task;
  throw new ConfigError(
    mistake(
      `the connector ${connector}`,
      'createTask',
      '',
      given,
      `an object with the functions ${TASK_METHODS[kind].join(', ')}`,
    ),
    { code: PLUGIN_CONTRACT },
  );
}

/** What the tasks of a connector must leave as it is: it would be another connector. */
const NOT_PLANNED = ['connector.class', 'connector-class', 'connector.plugin.version'];

/** Throws ConfigError BAD_TASK_CONFIG. */
export function checkPlan(connector: string, planned: unknown, raw: RawConfig): readonly RawConfig[] {
  const refuse = (place: string, value: unknown, allowed: string, field?: string): ConfigError =>
    new ConfigError(mistake(`the connector ${connector}`, 'taskConfigs', place, value, allowed), {
      code: 'BAD_TASK_CONFIG',
      ...(field === undefined ? {} : { field }),
    });
  if (!Array.isArray(planned)) throw refuse('', planned, 'an array of configurations');
  for (const [i, config] of (planned as readonly unknown[]).entries()) {
    if (!isFields(config)) throw refuse(`[${i}]`, config, 'an object of texts');
    for (const [key, value] of Object.entries(config)) {
      if (typeof value !== 'string') throw refuse(`[${i}].${key}`, value, 'a text', key);
      if (NOT_PLANNED.includes(key) && value !== raw[key])
        throw refuse(`[${i}].${key}`, value, 'left as it is: a task is of its connector', key);
    }
  }
  // Every one of them is an object of texts.
  return planned as readonly RawConfig[];
}

/** Throws ConnectError PLUGIN_CONTRACT. */
export function checkIssues(
  connector: string,
  call: 'validate' | 'connect',
  validated: unknown,
): readonly ConfigIssue[] {
  const refuse = (place: string, value: unknown, allowed: string): ConnectError =>
    new ConnectError(mistake(`the connector ${connector}`, call, place, value, allowed), {
      code: PLUGIN_CONTRACT,
    });
  if (!Array.isArray(validated)) throw refuse('', validated, 'an array of issues, empty when all is well');
  for (const [i, issue] of (validated as readonly unknown[]).entries()) {
    if (!isFields(issue)) throw refuse(`[${i}]`, issue, '{ field, value, reason }');
    for (const name of ['field', 'reason'])
      if (typeof issue[name] !== 'string') throw refuse(`[${i}].${name}`, issue[name], 'a text');
    if (issue['value'] !== null && typeof issue['value'] !== 'string')
      throw refuse(`[${i}].value`, issue['value'], 'a text, or null');
  }
  // Every one of them is an issue.
  return validated as readonly ConfigIssue[];
}

function badReturn(
  who: string,
  method: string,
  place: string,
  value: unknown,
  allowed: string,
  whole: unknown,
): DataError {
  const late = whole instanceof Promise ? ', and at once, not by a Promise' : '';
  return new DataError(mistake(who, method, place, value, allowed) + late, { code: PLUGIN_CONTRACT });
}

function mistake(who: string, method: string, place: string, value: unknown, allowed: string): string {
  const where = place === '' ? '' : `, at ${place.slice(0, 200)}`;
  return `${who} returned the wrong thing from ${method}${where}: it must be ${allowed}, not ${found(value)}`;
}

export function found(value: unknown): string {
  return value === undefined ? 'undefined' : describeValue(value);
}
