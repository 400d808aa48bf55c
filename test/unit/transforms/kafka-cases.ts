import { configureTransforms } from '#troupe/plugins/transform-chain.js';
import { DataError, isFields, sourceRecord, type ConnectRecord, type Fields } from '#troupe/sdk/index.js';
import {
  object,
  list,
  schemaOf,
  schemaText,
  text,
  valueOf,
  valueText,
} from '../../support/kafka-notation.js';
import { catalog } from './transforms.js';

const KAFKA = 'org.apache.kafka.connect.transforms.';

/** What a record comes to, as one text: it, or that it is dropped, fails, or that the configuration is refused. */
export interface Outcomes {
  readonly kafka: string;
  readonly ours: string;
}

export async function outcomes(row: Fields): Promise<Outcomes> {
  const record = recordOf(object(row['record'] ?? {}));
  return { kafka: kafkas(row, record), ours: await ours(row, record) };
}

function kafkas(row: Fields, record: ConnectRecord): string {
  if (row['refuses'] !== undefined) return 'refused';
  if (row['fails'] !== undefined) return 'fails';
  const gives = row['gives'];
  if (gives === null) return 'dropped';
  if (typeof gives === 'boolean') return String(gives);
  if (gives === 'same') return recordText(record);
  const given = object(gives);
  const keySchema = 'keySchema' in given ? schemaOf(given['keySchema']) : record.keySchema;
  const valueSchema = 'schema' in given ? schemaOf(given['schema']) : record.valueSchema;
  return recordText({
    ...record,
    topic: 'topic' in given ? text(given['topic']) : record.topic,
    keySchema,
    key: 'key' in given ? valueOf(keySchema, given['key']) : record.key,
    valueSchema,
    value: 'value' in given ? valueOf(valueSchema, given['value']) : record.value,
  });
}

async function ours(row: Fields, record: ConnectRecord): Promise<string> {
  const raw = configOf(row);
  const { made: chain } = await configureTransforms(raw, catalog);
  if (chain === null) return 'refused';
  try {
    const out = chain.apply(record);
    if (text(row['do']).startsWith('predicates.')) return String(out === null);
    return out === null ? 'dropped' : recordText(out);
  } catch (error) {
    if (error instanceof DataError) return 'fails';
    throw error;
  }
}

/** A predicate is asked by dropping the records for which it holds. */
function configOf(row: Fields): Record<string, string> {
  const type = `${KAFKA}${text(row['do'])}`;
  const isPredicate = type.includes('.predicates.');
  const raw: Record<string, string> = isPredicate
    ? {
        transforms: 't',
        'transforms.t.type': `${KAFKA}Filter`,
        'transforms.t.predicate': 'p',
        predicates: 'p',
        'predicates.p.type': type,
      }
    : { transforms: 't', 'transforms.t.type': type };
  for (const [key, value] of Object.entries(object(row['config'] ?? {})))
    raw[`${isPredicate ? 'predicates.p' : 'transforms.t'}.${key}`] = text(value);
  return raw;
}

function recordOf(json: Fields): ConnectRecord {
  const keySchema = schemaOf(json['keySchema']);
  const valueSchema = schemaOf(json['schema']);
  const fields = {
    topic: json['topic'] === undefined ? 't' : text(json['topic']),
    queue: 3,
    keySchema,
    key: valueOf(keySchema, json['key']),
    valueSchema,
    value: valueOf(valueSchema, json['value']),
    timestamp:
      json['timestamp'] === undefined
        ? 1_700_000_000_123
        : json['timestamp'] === null
          ? null
          : Number(json['timestamp']),
    headers: list(json['headers'] ?? []).map((header) => {
      const [key, value] = list(header);
      return { key: text(key), schema: null, value };
    }),
  };
  return json['offset'] === undefined
    ? sourceRecord({ ...fields, sourcePartition: {}, sourcePosition: {} })
    : { ...fields, ...{ offset: Number(json['offset']) } };
}

function recordText(record: ConnectRecord): string {
  const { topic, keySchema, key, valueSchema, value, timestamp } = record;
  return [
    `topic ${topic}, timestamp ${timestamp}`,
    `key ${schemaText(keySchema)} ${valueText(keySchema, key)}`,
    `value ${schemaText(valueSchema)} ${valueText(valueSchema, isFields(value) ? { ...value } : value)}`,
  ].join('\n');
}
