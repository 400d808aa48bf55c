/** Where we do otherwise than Kafka Connect, on purpose. docs/compatibility.md has the same list, with the reasons. */
import { fieldOf, isFields, javaDateFormat, type Schema } from '#troupe/sdk/index.js';
import type { Case } from './notation.js';

export interface Difference {
  /** As in docs/compatibility.md. */
  readonly what: string;
  /** Whether it explains that ours is another outcome than Kafka's. */
  readonly explains: (its: Case, kafka: string, ours: string) => boolean;
}

const isKind = (its: Case, ...kinds: readonly string[]): boolean =>
  kinds.includes(its.do.replace(/\$.*/, ''));
const gives = (outcome: string): boolean => outcome.startsWith('topic ');

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'The default of a struct in a struct stands in for a null',
    explains: ({ record }, kafka, ours) =>
      kafka === 'fails' && gives(ours) && [record.keySchema, record.valueSchema].some(hasStructDefault),
  },
  {
    what: 'SetSchemaMetadata names schemas that are no structs',
    explains: (its, kafka, ours) =>
      isKind(its, 'SetSchemaMetadata') &&
      kafka === 'fails' &&
      gives(ours) &&
      partSchema(its)?.type !== 'STRUCT',
  },
  {
    what: 'A field without a name is refused',
    explains: (its, kafka, ours) =>
      ours === 'refused' &&
      kafka !== 'refused' &&
      ((isKind(its, 'HoistField', 'ExtractField') && its.config['field'] === '') ||
        (isKind(its, 'InsertField') && Object.entries(its.config).some(isNameless)) ||
        (isKind(its, 'ReplaceField') && its.config['renames'] === ':a')),
  },
  {
    what: 'MaskField lets nulls pass',
    explains: (its, kafka, ours) =>
      isKind(its, 'MaskField') && kafka === 'fails' && gives(ours) && (partValue(its) ?? null) === null,
  },
  {
    what: 'MaskField refuses a replacement that does not fit',
    explains: (its, kafka, ours) =>
      isKind(its, 'MaskField') && gives(kafka) && ours === 'fails' && its.config['replacement'] !== undefined,
  },
  {
    what: 'MaskField keeps the scale of a decimal',
    explains: (its, kafka, ours) =>
      isKind(its, 'MaskField') && gives(ours) && withoutScales(ours) === withoutScales(kafka),
  },
  {
    what: 'ReplaceField goes by the fields that are there, and Kafka Connect by the renames',
    explains: (its, kafka, ours) =>
      isKind(its, 'ReplaceField') && kafka !== 'refused' && gives(ours) && hasRenamedTarget(its),
  },
  {
    what: 'Dates before 15 October 1582 are those of the Gregorian calendar',
    explains: (its, kafka, ours) =>
      isKind(its, 'TimestampConverter') && gives(kafka) && gives(ours) && isOldDate(its),
  },
  {
    what: 'TimestampConverter does not read times by weeks, nor names of zones but UTC and GMT',
    explains: (its, kafka, ours) => {
      const letters = (its.config['format'] ?? '').replaceAll(/'[^']*'/g, '');
      return (
        isKind(its, 'TimestampConverter') &&
        gives(kafka) &&
        ours === 'fails' &&
        (/[YwWF]/.test(letters) || (letters.includes('z') && !hasText(partValue(its), /\b(?:UTC|GMT)/)))
      );
    },
  },
  {
    what: 'Times end where those of JavaScript do',
    explains: (its, kafka, ours) =>
      isKind(its, 'TimestampConverter') &&
      ours === 'fails' &&
      gives(kafka) &&
      [partValue(its), ...defaultsOf(partSchema(its))].some(hasLong),
  },
  {
    what: 'Doubles and floats have no digit too many as texts',
    explains: (its, kafka, ours) =>
      isKind(its, 'Cast') && gives(kafka) && gives(ours) && sameButForDigits(ours, kafka),
  },
  {
    what: 'Cast writes a time before 1970-01-02 with its date',
    explains: (its, kafka, ours) =>
      isKind(its, 'Cast') && /"\d\d:[\d:.]+Z"/.test(kafka) && withoutTimes(ours) === withoutTimes(kafka),
  },
  {
    what: 'An empty array or map in a text has no schema',
    explains: (its, kafka, ours) =>
      isKind(its, 'InsertHeader') && kafka.replaceAll(/ \((?:MAP|ARRAY)\)/g, ' none') === ours,
  },
  {
    what: 'RegexRouter refuses what cannot be used',
    explains: (its, kafka, ours) =>
      isKind(its, 'RegexRouter') &&
      kafka !== 'refused' &&
      ours === 'refused' &&
      (/[$\\]|^ *$/.test(its.config['replacement'] ?? '') || its.config['regex'] === ''),
  },
  {
    what: 'TimestampRouter refuses a format that is none',
    explains: (its, kafka, ours) => isKind(its, 'TimestampRouter') && kafka === 'fails' && ours === 'refused',
  },
];

function isNameless([key, value]: readonly [string, string]): boolean {
  return key.endsWith('.field') && /^ *[?!]?$/.test(value);
}

function hasRenamedTarget(its: Case): boolean {
  const targets = (its.config['renames'] ?? '').split(',').map((pair) => pair.split(':')[1]);
  if (new Set(targets).size < targets.length) return true;
  return partSchema(its)?.fields?.some((field) => targets.includes(field.name)) === true;
}

/** In itself or a field. */
function hasText(value: unknown, pattern: RegExp): boolean {
  if (isFields(value)) return Object.values(value).some((item) => hasText(item, pattern));
  return typeof value === 'string' && pattern.test(value);
}

/** In itself or a field: more milliseconds, or days, than a Date holds. */
function hasLong(value: unknown): boolean {
  if (isFields(value)) return Object.values(value).some(hasLong);
  if (typeof value === 'string') return /\d{12}|(?<!\d)\d{6,7}(?!\d)/.test(value);
  return (typeof value === 'bigint' || typeof value === 'number') && Math.abs(Number(value)) > 8.64e12;
}

/** Decimals as the shortest text of the same number. */
function withoutScales(outcome: string): string {
  return outcome.replaceAll(/decimal (-?\d+) scale (-?\d+)/g, (_, unscaled: string, scale: string) => {
    const zeros = /0*$/.exec(unscaled)?.[0].length ?? 0;
    if (BigInt(unscaled) === 0n) return 'decimal 0';
    return `decimal ${unscaled.slice(0, unscaled.length - zeros)}e${zeros - Number(scale)}`;
  });
}

function withoutTimes(outcome: string): string {
  return outcome.replaceAll(/"(?:[\d-]+T?)?(?:\d\d:[\d:.]+Z)?"/g, '#');
}

const MICROSECONDS: Readonly<Record<string, number>> = {
  seconds: 1e6,
  milliseconds: 1e3,
  microseconds: 1,
  nanoseconds: 1e-3,
};

/** As a text that is read, or as a number that is written as one; in itself or in a default of its schema. */
function isOldDate(its: Case): boolean {
  const format = javaDateFormat(its.config['format']?.trim() ?? '');
  if ('problem' in format) return false;
  const field = its.config['field']?.trim() ?? '';
  const scale = MICROSECONDS[its.config['unix.precision'] ?? 'milliseconds'] ?? NaN;
  return [partValue(its), ...defaultsOf(partSchema(its))].some((value) => {
    const time = isFields(value) ? fieldOf(value, field) : value;
    const milliseconds =
      typeof time === 'string' ? (format.parse(time) ?? 0) : (Number(time ?? 0) * scale) / 1000;
    return milliseconds < Date.UTC(1582, 9, 15);
  });
}

function partSchema({ do: type, record }: Case): Schema | null {
  return type.endsWith('$Key') ? record.keySchema : record.valueSchema;
}

function partValue({ do: type, record }: Case): unknown {
  return type.endsWith('$Key') ? record.key : record.value;
}

function hasStructDefault(schema: Schema | null): boolean {
  return defaultsOf(schema).some(isFields);
}

/** Of the schema and all within. */
function defaultsOf(schema: Schema | null | undefined): readonly unknown[] {
  if (schema === null || schema === undefined) return [];
  const parts = [...(schema.fields ?? []).map((field) => field.schema), schema.keySchema, schema.valueSchema];
  return [schema.defaultValue, ...parts.flatMap(defaultsOf)];
}

/** Java before 19 writes some numbers with more digits than tell them: 2.0E-44 is 1.96E-44 there. */
function sameButForDigits(ours: string, kafka: string): boolean {
  const number = /-?\d+\.\d+(?:E-?\d+)?/g;
  const [one, two] = [ours, kafka].map((text) => text.replaceAll(number, '#'));
  if (one !== two) return false;
  const mine = ours.match(number) ?? [];
  return (kafka.match(number) ?? []).every((theirs, i) => isSame(Number(mine[i]), Number(theirs)));
}

function isSame(one: number, two: number): boolean {
  return one === two || Math.fround(one) === Math.fround(two);
}
