/** Where our converters do otherwise than Kafka Connect's, on purpose; docs/compatibility.md says the same. Nothing else may differ. */
import { isUtf8 } from 'node:buffer';
import { isFields, logicalType, parseJson, type Schema } from '#troupe/sdk/index.js';
import { BEYOND } from './answers.js';
import type { Case } from './cases.js';

export interface Difference {
  readonly name: string;
  /** Whether it explains the one of this case. `ours` and `kafkas` are texts of answers.ts. */
  readonly explains: (given: Case, ours: string, kafkas: string) => boolean;
}

const textOf = ({ bytes }: Case): string => Buffer.from(bytes ?? []).toString('utf8');

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'StringConverter writes times in ISO 8601, not as Java shows them',
    explains: ({ converter, schema }, ours) =>
      converter === 'string' && isOf(schema, isTime) && /^text [+-]?\d{4,6}-\d\d-\d\dT/.test(ours),
  },
  {
    name: 'StringConverter writes bytes as their text, not as the address of the array',
    explains: ({ converter, schema }, _ours, kafkas) =>
      converter === 'string' && isOf(schema, ({ type }) => type === 'BYTES') && kafkas.startsWith('text [B@'),
  },
  {
    name: 'StringConverter puts another number of replacement characters for bytes that are no UTF-8',
    explains: ({ converter, bytes }, ours, kafkas) =>
      converter === 'string' &&
      bytes instanceof Uint8Array &&
      !isUtf8(bytes) &&
      ours.replace(/\ufffd+/g, '') === kafkas.replace(/\ufffd+/g, ''),
  },
  {
    name: 'JsonConverter spells numbers and rare characters otherwise, in the same JSON',
    explains: ({ converter }, ours, kafkas) =>
      converter === 'json' && ours.startsWith('text ') && sameJson(jsonOf(ours), jsonOf(kafkas)),
  },
  {
    name: 'JsonConverter refuses what Kafka reads as another value: a text as 0, a number cut to its type',
    explains: ({ converter, bytes }, ours) => converter === 'json' && bytes !== undefined && ours === 'fails',
  },
  {
    name: 'JsonConverter keeps whole numbers without a schema that have more than 64 bits, of which Kafka keeps the lowest',
    explains: (given, ours) =>
      given.converter === 'json' &&
      given.bytes !== undefined &&
      ours !== 'fails' &&
      /\d{19}|\de\+?\d\d/i.test(textOf(given)),
  },
  {
    name: 'SimpleHeaderConverter keeps as text a number with an exponent in the ten thousands',
    explains: (given, ours, kafkas) => kafkas === BEYOND && isKeptText(given, ours),
  },
  {
    name: 'SimpleHeaderConverter gives bytes that are no UTF-8 as bytes, where Kafka replaces characters',
    explains: ({ converter, bytes }, ours) =>
      converter === 'header' && bytes instanceof Uint8Array && !isUtf8(bytes) && ours.startsWith('(BYTES) '),
  },
  {
    name: 'SimpleHeaderConverter keeps as text what has more behind a number, a date, an array or a map, where Kafka drops the rest',
    explains: (given, ours, kafkas) =>
      isKeptText(given, ours) && (!kafkas.startsWith('(STRING)') || isBeginning(kafkas, textOf(given))),
  },
  {
    name: 'SimpleHeaderConverter keeps as text what only looks like a date, as 2026-02-30, where Kafka counts on into the next month',
    explains: (given, ours, kafkas) =>
      given.converter === 'header' &&
      given.bytes !== undefined &&
      /\bdate -?\d/.test(kafkas) &&
      ours !== kafkas,
  },
  {
    name: 'SimpleHeaderConverter writes the date of a time before 1970-01-02, which Kafka drops',
    explains: ({ converter, schema }, ours, kafkas) =>
      converter === 'header' &&
      isOf(schema, (whole) => holds(whole, isTime)) &&
      withoutDates(ours) === withoutDates(kafkas),
  },
  {
    name: 'StringConverter and SimpleHeaderConverter write the fewest digits that tell a float, as Java 19 and later',
    explains: ({ converter, schema }, ours, kafkas) =>
      (converter === 'header' || converter === 'string') &&
      isOf(schema, (whole) => holds(whole, ({ type }) => type.startsWith('FLOAT'))) &&
      withRoundFloats(ours) === withRoundFloats(kafkas),
  },
];

function isOf(schema: Schema | null | undefined, is: (schema: Schema) => boolean): boolean {
  return schema !== undefined && schema !== null && is(schema);
}

function isTime(schema: Schema): boolean {
  const logical = logicalType(schema);
  return logical !== null && logical !== 'Decimal';
}

function holds(schema: Schema, is: (schema: Schema) => boolean): boolean {
  if (is(schema)) return true;
  const parts = [schema.keySchema, schema.valueSchema, ...(schema.fields ?? []).map((field) => field.schema)];
  return parts.some((part) => part !== undefined && holds(part, is));
}

function isKeptText(given: Case, ours: string): boolean {
  return (
    given.converter === 'header' &&
    given.bytes !== undefined &&
    ours === `(STRING) ${JSON.stringify(textOf(given))}`
  );
}

/** Kafka may stop at blanks. */
function isBeginning(kafkas: string, whole: string): boolean {
  const kept: unknown = JSON.parse(kafkas.slice('(STRING) '.length));
  return typeof kept === 'string' && kept.length < whole.length && whole.startsWith(kept);
}

function jsonOf(written: string): unknown {
  try {
    return parseJson(written.slice('text '.length));
  } catch {
    return undefined;
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return false;
  if (typeof a === 'number' && typeof b === 'number')
    return Object.is(a, b) || Object.is(Math.fround(a), Math.fround(b));
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (!isFields(a) || !isFields(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]))
  );
}

const DATES = /-?\d{4,6}-\d\d-\d\d(?:T\d\d:\d\d:\d\d\.\d{3}Z)?|\d\d:\d\d:\d\d\.\d{3}Z/g;

function withoutDates(text: string): string {
  return withRoundFloats(
    text.replaceAll(DATES, (date) => (/T|^\d\d:/.test(date) ? date.slice(-13) : '00:00:00.000Z')),
  );
}

function withRoundFloats(text: string): string {
  return text.replaceAll(/-?\d+\.\d+(?:E-?\d+)?/g, (float) => String(Math.fround(Number(float))));
}
