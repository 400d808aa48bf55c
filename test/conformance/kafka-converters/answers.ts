/** What a converter did, as one text for equal results: ours, and Kafka's as its program tells. */
import { isUtf8 } from 'node:buffer';
import {
  ConfigError,
  DataError,
  DECIMAL_NAME,
  isFields,
  parseConfigOrThrow,
  type ConverterInstance,
} from '#troupe/sdk/index.js';
import {
  list,
  object,
  schemaOf,
  schemaText,
  text,
  valueOf,
  valueText,
} from '../../support/kafka-notation.js';
import type { Case } from './cases.js';
import { CONVERTERS } from './converters.js';

/** A failure counts as one, whatever it says: Kafka's are DataException, and what its code did not think of. */
const FAILS = 'fails';
/** A decimal that ours do not hold. */
export const BEYOND = 'a decimal with a scale beyond 9999';

export function ours({ converter, config, schema = null, value, bytes }: Case): string {
  const { plugin, header } = CONVERTERS[converter];
  try {
    const made: ConverterInstance = plugin.create(parseConfigOrThrow(plugin.config, config), {
      isKey: false,
      isHeader: header,
    });
    if (bytes === undefined) return written(made.fromConnectData('t', schema, value));
    const asText = bytes !== null && plugin.input === 'text' && isUtf8(bytes);
    const read = made.toConnectData('t', asText ? Buffer.from(bytes).toString('utf8') : bytes);
    return `${schemaText(read.schema)} ${valueText(read.schema, read.value)}`;
  } catch (error) {
    if (error instanceof DataError || error instanceof ConfigError) return FAILS;
    throw error;
  }
}

export function kafkas(answer: unknown): string {
  const given = object(answer);
  if (given['fails'] !== undefined) return FAILS;
  if (given['bytes'] !== undefined)
    return written(given['bytes'] === null ? null : Buffer.from(text(given['bytes']), 'base64'));
  if (hasGap(given['schema'])) return `none ${valueText(null, plainValue(given['schema'], given['value']))}`;
  const schema = schemaOf(given['schema']);
  if (
    schema !== null &&
    schema.name === DECIMAL_NAME &&
    !/^-?\d{1,4}$/.test(schema.parameters?.['scale'] ?? '')
  )
    return BEYOND;
  return `${schemaText(schema)} ${valueText(schema, valueOf(schema, given['value']))}`;
}

function written(data: Uint8Array | string | null): string {
  if (data === null) return 'nothing';
  const bytes = Buffer.from(data as Uint8Array);
  return isUtf8(bytes) ? `text ${bytes.toString('utf8')}` : `bytes ${bytes.toString('hex')}`;
}

/** Kafka has arrays and maps whose elements have no schema, which it cannot write itself: ours then have none at all. */
function hasGap(schema: unknown): boolean {
  if (!isFields(schema)) return false;
  return ['keys', 'items'].some((part) => schema[part] === null || hasGap(schema[part]));
}

function plainValue(schema: unknown, value: unknown): unknown {
  if (!isFields(schema) || value === null) return valueOf(null, value);
  if ('keys' in schema)
    return new Map(
      list(value).map((pair) => {
        const [key, item] = list(pair);
        return [plainValue(schema['keys'], key), plainValue(schema['items'], item)];
      }),
    );
  if ('items' in schema) return list(value).map((item) => plainValue(schema['items'], item));
  return valueOf(schemaOf(schema), value);
}
