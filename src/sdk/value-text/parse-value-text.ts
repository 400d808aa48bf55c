import { Decimal } from '../decimal.js';
import { MAX_JSON_DEPTH } from '../exact-json.js';
import type { SchemaAndValue } from '../plugin.js';
import { SchemaBuilder } from '../schema-builder.js';
import {
  BOOLEAN_SCHEMA,
  DATE_SCHEMA,
  decimalSchema,
  FLOAT32_SCHEMA,
  FLOAT64_SCHEMA,
  INT16_SCHEMA,
  INT32_SCHEMA,
  INT64_SCHEMA,
  INT8_SCHEMA,
  STRING_SCHEMA,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
} from '../schema-constants.js';
import type { Schema } from '../schema.js';
import { int64, setField } from '../value.js';
import { aligned, NotSo, SchemaMerger } from './merge-schemas.js';
import { isBlank, Tokens, trimmed } from './tokens.js';

const NULL: SchemaAndValue = Object.freeze({ schema: null, value: null });
const TRUE: SchemaAndValue = Object.freeze({ schema: BOOLEAN_SCHEMA, value: true });
const FALSE: SchemaAndValue = Object.freeze({ schema: BOOLEAN_SCHEMA, value: false });

/** How what is more than text can begin, blanks apart. */
const MORE_THAN_TEXT = /^[\0- ]*[-+\d[{ntf]/;

/**
 * What a text without a schema means, by the rules of Kafka Connect's Values, which its SimpleHeaderConverter and InsertHeader go by:
 * `null`, `true`, numbers in the smallest type that holds them, dates, times and timestamps in ISO 8601 with `Z`, arrays in
 * `[]` and maps in `{}` with quoted texts; everything else is the text itself. It never throws.
 */
export function parseValueText(text: string): SchemaAndValue {
  const string = { schema: STRING_SCHEMA, value: text };
  if (!MORE_THAN_TEXT.test(text)) return string;
  const tokens = new Tokens(text);
  try {
    const parsed = new ValueTextParser(tokens).parse(false, 0);
    // Kafka Connect forgets what follows a number, a date, an array or a map.
    if (tokens.hasNext && !isBlank(tokens.rest())) return string;
    return parsed.schema !== null && hasGap(parsed.schema) ? { schema: null, value: parsed.value } : parsed;
  } catch (error) {
    if (error instanceof NotSo) return string;
    throw error;
  }
}

/** Of what has no elements, or none with a schema in common. They count when schemas are merged, and do not leave this file. */
const ARRAY_OF_ANY: Schema = Object.freeze({ type: 'ARRAY', optional: false });
const MAP_OF_ANY: Schema = Object.freeze({ type: 'MAP', optional: false });

function hasGap({ type, keySchema, valueSchema }: Schema): boolean {
  if (type !== 'ARRAY' && type !== 'MAP') return false;
  if (valueSchema === undefined || hasGap(valueSchema)) return true;
  return keySchema !== undefined && hasGap(keySchema);
}

class ValueTextParser {
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** Throws NotSo, where `embedded` in an array or map. */
  parse(embedded: boolean, depth: number): SchemaAndValue {
    const tokens = this.#tokens;
    if (depth > MAX_JSON_DEPTH) throw new NotSo('too deep');
    if (!tokens.hasNext) return NULL;
    if (embedded && tokens.take('"')) return this.#quoted();
    if (this.#literal(embedded, 'null')) return NULL;
    if (this.#literal(embedded, 'true')) return TRUE;
    if (this.#literal(embedded, 'false')) return FALSE;
    const start = tokens.mark();
    try {
      if (tokens.take('[')) return this.#array(depth);
      if (tokens.take('{')) return this.#map(depth);
    } catch (error) {
      if (!(error instanceof NotSo)) throw error;
      tokens.rewindTo(start);
    }
    const token = tokens.next();
    if (isBlank(token)) return { schema: STRING_SCHEMA, value: token };
    const found = this.#scalar(trimmed(token));
    if (found !== null) return found;
    if (embedded) throw new NotSo('no value');
    tokens.rewindTo(tokens.text.length);
    return { schema: STRING_SCHEMA, value: tokens.text };
  }

  #literal(embedded: boolean, literal: string): boolean {
    const start = this.#tokens.mark();
    if (this.#tokens.take(literal) && (embedded || !this.#tokens.hasNext)) return true;
    this.#tokens.rewindTo(start);
    return false;
  }

  #scalar(token: string): SchemaAndValue | null {
    if (/^\d/.test(token)) {
      const start = this.#tokens.mark();
      // A colon is a delimiter: 10:15:00.000Z is five tokens.
      const more = this.#tokens.nextJoined(4);
      const joined = more === null ? null : temporal(token + more);
      if (joined !== null) return joined;
      this.#tokens.rewindTo(start);
      const alone = temporal(token);
      if (alone !== null) return alone;
    }
    return number(token);
  }

  #quoted(): SchemaAndValue {
    let content = '';
    while (this.#tokens.hasNext) {
      if (this.#tokens.take('"')) break;
      content += this.#tokens.next();
    }
    return temporal(content) ?? { schema: STRING_SCHEMA, value: content };
  }

  #array(depth: number): SchemaAndValue {
    const tokens = this.#tokens;
    const items: unknown[] = [];
    const merger = new SchemaMerger();
    while (tokens.hasNext) {
      if (tokens.take(']')) {
        const { common } = merger;
        if (common === null) return { schema: ARRAY_OF_ANY, value: items };
        const value = items.map((item) => aligned(common, item));
        return { schema: SchemaBuilder.array(common).build(), value };
      }
      if (tokens.take(',')) throw new NotSo('an empty element');
      const { schema, value } = this.parse(true, depth + 1);
      merger.merge(schema);
      items.push(value);
      const place = tokens.mark();
      if (tokens.take(']')) tokens.rewindTo(place);
      else if (!tokens.take(',')) throw new NotSo('no comma');
    }
    throw new NotSo('no end of the array');
  }

  #map(depth: number): SchemaAndValue {
    const tokens = this.#tokens;
    const entries: (readonly [unknown, unknown])[] = [];
    const [keys, values] = [new SchemaMerger(), new SchemaMerger()];
    while (tokens.hasNext) {
      if (tokens.take('}')) return mapOf(entries, keys.common, values.common);
      if (tokens.take(',')) throw new NotSo('an empty entry');
      const key = this.parse(true, depth + 1);
      if (key.value === null || !tokens.take(':')) throw new NotSo('no key');
      const item = this.parse(true, depth + 1);
      entries.push([key.value, item.value]);
      tokens.take(',');
      keys.merge(key.schema);
      values.merge(item.schema);
    }
    throw new NotSo('no end of the map');
  }
}

function mapOf(
  entries: readonly (readonly [unknown, unknown])[],
  keySchema: Schema | null,
  valueSchema: Schema | null,
): SchemaAndValue {
  const alignedEntries = entries.map(
    ([key, item]) =>
      [
        keySchema === null ? key : aligned(keySchema, key),
        valueSchema === null || keySchema === null ? item : aligned(valueSchema, item),
      ] as const,
  );
  const schema =
    keySchema === null || valueSchema === null
      ? MAP_OF_ANY
      : SchemaBuilder.map(keySchema, valueSchema).build();
  if (!alignedEntries.every(([key]) => typeof key === 'string'))
    return { schema, value: new Map(alignedEntries) };
  const fields: Record<string, unknown> = {};
  for (const [key, item] of alignedEntries) setField(fields, String(key), item);
  return { schema, value: fields };
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d\d:\d\d:\d\d\.\d{3}Z$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Only what is written back as the same text: `2026-02-30`, which Kafka Connect takes for a day in March, is none. */
function temporal(text: string): SchemaAndValue | null {
  const plain = text.replaceAll('\\:', ':');
  if (DATE.test(plain)) return moment(`${plain}T00:00:00.000Z`, DATE_SCHEMA);
  if (TIME.test(plain)) return moment(`1970-01-01T${plain}`, TIME_SCHEMA);
  return TIMESTAMP.test(plain) ? moment(plain, TIMESTAMP_SCHEMA) : null;
}

function moment(iso: string, schema: Schema): SchemaAndValue | null {
  const date = new Date(iso);
  return !Number.isNaN(date.getTime()) && date.toISOString() === iso ? { schema, value: date } : null;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?$/;
const [MIN_INT64, MAX_INT64] = [-(2n ** 63n), 2n ** 63n - 1n];
/** Nothing with more digits before the point is an INT64. */
const MAX_WHOLE_DIGITS = 20;

function number(text: string): SchemaAndValue | null {
  if (!NUMBER.test(text)) return null;
  const whole = wholeNumber(text);
  if (whole !== null) return whole;
  const decimal = exact(text);
  if (decimal === null) return null;
  const [float, double] = [Math.fround(Number(text)), Number(text)];
  if (decimal.scale !== 0 && Number.isFinite(float)) return { schema: FLOAT32_SCHEMA, value: float };
  if (decimal.scale !== 0 && Number.isFinite(double)) return { schema: FLOAT64_SCHEMA, value: double };
  return { schema: decimalSchema(decimal.scale).build(), value: decimal };
}

/** null: it has an exponent that no Decimal takes. */
function exact(text: string): Decimal | null {
  const exponent = Number(/[eE]([+-]?\d+)$/.exec(text)?.[1] ?? 0);
  const digits = /\.(\d*)/.exec(text)?.[1]?.length ?? 0;
  return Math.abs(digits - exponent) > MAX_SCALE ? null : Decimal.parse(text);
}

/** As Decimal has it. */
const MAX_SCALE = 10_000;

function wholeNumber(text: string): SchemaAndValue | null {
  const decimal = exact(text);
  if (decimal === null) return null;
  const { unscaled, scale } = decimal;
  if (unscaled === 0n) return { schema: INT8_SCHEMA, value: 0 };
  const digits = unscaled.toString().replace('-', '').length;
  if (digits - scale > MAX_WHOLE_DIGITS || digits - scale <= 0) return null;
  const divisor = scale > 0 ? 10n ** BigInt(scale) : 1n;
  if (unscaled % divisor !== 0n) return null;
  const value = scale > 0 ? unscaled / divisor : unscaled * 10n ** BigInt(-scale);
  if (value < MIN_INT64 || value > MAX_INT64) return null;
  return { schema: smallest(value), value: int64(value) };
}

function smallest(value: bigint): Schema {
  if (BigInt.asIntN(8, value) === value) return INT8_SCHEMA;
  if (BigInt.asIntN(16, value) === value) return INT16_SCHEMA;
  return BigInt.asIntN(32, value) === value ? INT32_SCHEMA : INT64_SCHEMA;
}
