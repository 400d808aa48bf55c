/** Configurations, good and bad, of each transform and predicate, and records for them. */
import fc from 'fast-check';
import {
  javaDateFormat,
  SchemaBuilder,
  sourceRecord,
  withValue,
  type ConnectRecord,
  type Header,
  type Schema,
} from '#troupe/sdk/index.js';
import {
  anyObject,
  anyPlain,
  anySchema,
  anyStruct,
  anyText,
  anyTime,
  anyValue,
  chance,
  NAMES,
  oneOf,
  type Draw,
} from './any-value.js';
import type { Case } from './notation.js';

type Configs = (draw: Draw) => Record<string, string>;

const FORMATS = [
  "yyyy-MM-dd|yyyy-MM-dd'T'HH:mm:ss.SSS'Z'|yyyyMMdd|HH:mm|yyyyMMddHHmmssSSS|dd/MM/yyyy hh:mm a|EEE, d MMM yyyy HH:mm:ss z",
  "yyyy-MM-dd HH:mm:ssX|yyyy-DDD|MMMM d, y|yyyy.MM.dd G|''yyyy''|SSS s|yyyy-MM-ddTHH|yyyy'|| |Y-w|H k K h|yyyy MMM EEEE|XXX",
  "h 'o''clock'|M/d/yyyy|D y",
]
  .join('|')
  .split('|');

const names = (draw: Draw): string => {
  const kind = draw(fc.nat, { max: 19 });
  if (kind < 2) return oneOf(draw, ['', ',', 'a,', ',a', 'zz', ' a , b ', 'a,a']);
  return draw(fc.array<string>, fc.constantFrom<string>(...NAMES, 'zz'), { minLength: 1, maxLength: 3 }).join(
    ',',
  );
};
const name = (draw: Draw): string =>
  chance(draw, 90) ? oneOf(draw, NAMES) : oneOf(draw, ['', 'zz', ' a', 'a!', '?']);

const inserted = (draw: Draw): string =>
  chance(draw, 90)
    ? oneOf(draw, ['t', 'p', 'a', 'n!', 'o?', 'new', 'x!'])
    : oneOf(draw, ['', '!', '?', 'a!!', ' ']);

/** A key that is often left out. */
function some(draw: Draw, percent: number, key: string, value: () => string): Record<string, string> {
  return chance(draw, percent) ? { [key]: value() } : {};
}

const replaceNull = (draw: Draw): Record<string, string> =>
  some(draw, 30, 'replace.null.with.default', () =>
    oneOf(draw, ['true', 'false', 'FALSE', ' false ', 'no', '']),
  );

const TYPES = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string'] as const;

function castSpec(draw: Draw): string {
  const type = (): string =>
    chance(draw, 95) ? oneOf(draw, TYPES) : oneOf(draw, ['bytes', 'INT8', '', 'array', ' int8 ', 'x']);
  if (chance(draw, 25)) return type();
  const pairs = draw(fc.array<string>, fc.constantFrom<string>(...NAMES, 'zz', ' a'), {
    maxLength: 3,
    minLength: 1,
  });
  const text = pairs.map((each) => `${each}:${type()}`).join(',');
  return chance(draw, 95)
    ? text
    : oneOf(draw, [`${text},int8`, `${text}:`, `${text}:x`, '', `${text},`, ':int8', 'a:b:int8']);
}

const CONFIGS: Readonly<Record<string, Configs>> = {
  Cast: (draw) => ({ ...some(draw, 98, 'spec', () => castSpec(draw)), ...replaceNull(draw) }),
  Flatten: (draw) => some(draw, 60, 'delimiter', () => oneOf(draw, ['.', '_', '', ' ', '--', '|'])),
  TimestampConverter: (draw) => ({
    ...some(draw, 60, 'field', () => name(draw)),
    ...some(draw, 97, 'target.type', () =>
      oneOf(draw, ['string', 'unix', 'Date', 'Time', 'Timestamp', 'Timestamp', 'date', '']),
    ),
    ...some(draw, 70, 'format', () => oneOf(draw, FORMATS)),
    ...some(draw, 30, 'unix.precision', () =>
      oneOf(draw, ['seconds', 'milliseconds', 'microseconds', 'nanoseconds', 'days']),
    ),
    ...replaceNull(draw),
  }),
  SetSchemaMetadata: (draw) => ({
    ...some(draw, 60, 'schema.name', () => oneOf(draw, ['n', '', 'com.example.Other'])),
    ...some(draw, 60, 'schema.version', () =>
      oneOf(draw, ['1', '-7', ' 3 ', '+4', 'x', '', '3000000000', '1.5']),
    ),
    ...replaceNull(draw),
  }),
  HeaderFrom: (draw) => {
    const fields = names(draw);
    const headers = chance(draw, 90)
      ? fields.replace(/[^,]+/g, () => oneOf(draw, ['h', 'h1', 'h2']))
      : names(draw);
    return {
      ...some(draw, 98, 'fields', () => fields),
      ...some(draw, 98, 'headers', () => headers),
      ...some(draw, 98, 'operation', () => oneOf(draw, ['move', 'copy', 'move', 'copy', 'MOVE', ''])),
      ...replaceNull(draw),
    };
  },
  InsertHeader: (draw) => ({
    ...some(draw, 97, 'header', () => oneOf(draw, ['h', 'h1', 'new', ''])),
    ...some(draw, 97, 'value.literal', () => anyLiteral(draw)),
  }),
  DropHeaders: (draw) =>
    some(draw, 97, 'headers', () => oneOf(draw, ['h', 'h,h1', 'h1 , h2', '', ',', 'h,', 'zz', 'h,h'])),
  InsertField: (draw) => ({
    ...some(draw, 40, 'topic.field', () => inserted(draw)),
    ...some(draw, 40, 'partition.field', () => inserted(draw)),
    ...some(draw, 20, 'offset.field', () => inserted(draw)),
    ...some(draw, 40, 'timestamp.field', () => inserted(draw)),
    ...some(draw, 40, 'static.field', () => inserted(draw)),
    ...some(draw, 40, 'static.value', () => oneOf(draw, ['v', '', ' v '])),
    ...replaceNull(draw),
  }),
  ReplaceField: (draw) => ({
    ...some(draw, 40, 'exclude', () => names(draw)),
    ...some(draw, 30, 'include', () => names(draw)),
    ...some(draw, 50, 'renames', () =>
      oneOf(draw, ['a:z', 'a:b,b:a', 'a:b', 'a:a.b', 'a', 'a:', ':a', 'a:b:c', '', 'a:x,a:y', 'a:x,b:x']),
    ),
    ...replaceNull(draw),
  }),
  MaskField: (draw) => ({
    ...some(draw, 98, 'fields', () => names(draw)),
    ...some(draw, 40, 'replacement', () =>
      oneOf(draw, ['7', '7.9', '-300', 'xx', '', ' 5', '1e2', '99999999999', 'true', '0x10']),
    ),
    ...replaceNull(draw),
  }),
  ValueToKey: (draw) => ({ ...some(draw, 98, 'fields', () => names(draw)), ...replaceNull(draw) }),
  HoistField: (draw) => some(draw, 97, 'field', () => name(draw)),
  ExtractField: (draw) => ({
    ...some(draw, 98, 'field', () =>
      chance(draw, 60)
        ? name(draw)
        : oneOf(draw, [
            'a.b',
            'b.c.id',
            '`a.b`.c',
            '`a',
            'a.',
            '.a',
            '..',
            '`q`',
            '`a.b`',
            '``q``',
            '`q\\`',
            '`q\\`.a`',
          ]),
    ),
    ...some(draw, 50, 'field.syntax.version', () => oneOf(draw, ['V1', 'V2', 'v2', 'V2', 'V3', ''])),
    ...replaceNull(draw),
  }),
  RegexRouter: (draw) => ({
    ...some(draw, 97, 'regex', () =>
      oneOf(draw, [
        '(.*)',
        'a(.*)',
        '(?<n>[a-z]+)-(\\d+)',
        '[a-z-]+(\\d)?',
        'ab|a',
        '(',
        '',
        '.*?',
        '(?i)ORDERS-(.)',
        '\\Qa.b\\E',
        '[',
        ' .*',
      ]),
    ),
    ...some(draw, 97, 'replacement', () =>
      oneOf(draw, ['x', '$1', '${n}', '$2x', '$0-$1', '\\$1', 'a\\', '$', '', ' x ', '${', '$12']),
    ),
  }),
  TimestampRouter: (draw) => ({
    ...some(draw, 60, 'topic.format', () =>
      oneOf(draw, [
        '${topic}_${timestamp}',
        '${timestamp}',
        'x',
        '$topic',
        ' ${topic}',
        '${topic}${topic}',
        '',
      ]),
    ),
    ...some(draw, 70, 'timestamp.format', () => oneOf(draw, FORMATS)),
  }),
  Filter: () => ({}),
  'predicates.TopicNameMatches': (draw) =>
    some(draw, 97, 'pattern', () =>
      oneOf(draw, ['.*', 'orders', 'orders-\\d+', '(?i)ORDERS.*', '(', '', 'a|ab', '\\p{Lower}+']),
    ),
  'predicates.HasHeaderKey': (draw) => some(draw, 97, 'name', () => oneOf(draw, ['h', 'h1', 'zz', '', 'H'])),
  'predicates.RecordIsTombstone': () => ({}),
};

/** Those for the key and the value of a record. */
const PAIRED = new Set([
  'Cast',
  'Flatten',
  'TimestampConverter',
  'SetSchemaMetadata',
  'HeaderFrom',
  'InsertField',
  'ReplaceField',
  'MaskField',
  'HoistField',
  'ExtractField',
]);

export const KINDS = Object.keys(CONFIGS);

export function anyCase(kind: string): fc.Arbitrary<Case> {
  return fc.gen().map((draw) => {
    const part = PAIRED.has(kind) ? (chance(draw, 80) ? '$Value' : '$Key') : '';
    const config = CONFIGS[kind]?.(draw) ?? {};
    const record = anyRecord(draw, kind);
    const isRead = kind === 'TimestampConverter' && part === '$Value' && chance(draw, 40);
    return { do: `${kind}${part}`, config, record: isRead ? withTime(draw, config, record) : record };
  });
}

/** With a text that is a time in the format of the configuration, or nearly. */
function withTime(
  draw: Draw,
  config: Readonly<Record<string, string>>,
  record: ConnectRecord,
): ConnectRecord {
  const format = javaDateFormat(config['format']?.trim() ?? '');
  if ('problem' in format) return record;
  const time = nearly(draw, format.format(anyTime(draw)));
  const field = config['field']?.trim() ?? '';
  return withValue(record, null, field === '' ? time : { [field]: time });
}

const PIECES = '0|1|5|9| |-|+|:|a|A|Z|T|||UTC|GMT+5:30|+0530|jan|Friday|  '.split('|');

/** The text with some characters left out, put in or made others. */
function nearly(draw: Draw, text: string): string {
  let changed = text;
  for (let i = draw(fc.nat, { max: 2 }); i > 0; i -= 1) {
    const at = draw(fc.nat, { max: changed.length });
    const added = oneOf(draw, PIECES);
    changed = changed.slice(0, at) + added + changed.slice(at + draw(fc.nat, { max: 2 }));
  }
  return changed;
}

function anyRecord(draw: Draw, kind: string): ConnectRecord {
  const [keySchema, key] = anyData(draw, kind, 40);
  const [valueSchema, value] = anyData(draw, kind, 80);
  const fields = {
    topic: oneOf(draw, ['orders', 'orders-12', 'ab', 'a.b', 'a b', '$1']),
    queue: 3,
    keySchema,
    key,
    valueSchema,
    value,
    timestamp: chance(draw, 85) ? anyTime(draw) : null,
    headers: draw(fc.array<number>, fc.nat({ max: 3 }), { maxLength: 3 }).map(() => anyHeader(draw)),
  };
  if (chance(draw, 70)) return sourceRecord({ ...fields, sourcePartition: {}, sourcePosition: {} });
  return { ...fields, ...{ offset: 42 } };
}

function anyHeader(draw: Draw): Header {
  const schema = chance(draw, 50) ? anySchema(draw, 0) : null;
  return {
    key: oneOf(draw, ['h', 'h1', 'h2']),
    schema,
    value: schema === null ? anyText(draw) : anyValue(draw, required(schema)),
  };
}

/** A header is checked against its schema, which takes no null for a default. */
function required(schema: Schema): Schema {
  return SchemaBuilder.from(schema).required().build();
}

/** `percent`: how often it has fields, with a schema or without. */
function anyData(draw: Draw, kind: string, percent: number): readonly [Schema | null, unknown] {
  if (chance(draw, 5)) return [null, null];
  const fields = chance(draw, percent);
  if (chance(draw, 45)) return [null, fields ? anyObject(draw, 2) : anyPlain(draw, 1)];
  const schema = fields ? anyStruct(draw, kind === 'Flatten' ? 3 : 2) : anySchema(draw, 1);
  return [schema, anyValue(draw, schema)];
}

/** What a header's text stands for is held beside Kafka Connect's own classes with the converters. */
const LITERALS = [
  'x|[1,2,3]|[1,300,70000]|[1.5,2]|[1,null]|{"a":1,"b":2.5}|[true,false]|{1:"a",2:"b"}|true|null|0.1|3.14159265358979|.5',
  '12345678901234567890123|1.0|100|-129|9223372036854775808|1e39|1e40|2023-11-14|12:30:00.000Z|2023-11-14T12:30:00.123Z',
  '[]|{}|["2023-11-14"]|true}| true || |+5|a, b|{"a"|[1,2',
]
  .join('|')
  .split('|');

const anyLiteral = (draw: Draw): string =>
  chance(draw, 70) ? oneOf(draw, LITERALS) : String(draw(fc.double, { noNaN: true }));
