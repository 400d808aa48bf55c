/** Values of records → Avro. A writer is made once for a schema. */
import { DataError, Decimal, describeValue, fieldOf, isFields, isInherited } from '@troupe/sdk';
import type { AvroType } from './avro-schema.js';
import type { AvroOutput } from './binary.js';
import { defaultOf } from './default-json.js';
import { logicalOf, scaleOf } from './logical.js';
import { branchName, mapEntryOf } from './to-connect.js';

export type Write = (out: AvroOutput, value: unknown) => void;

const DAY_MS = 86_400_000;

/** What is wrong and where: it collects its path on the way out. */
export class Mismatch extends Error {
  path = '';
}

export function writerOf(type: AvroType): Write {
  switch (logicalOf(type)) {
    case 'Date':
      return (out, value) => {
        const days = value instanceof Date ? value.getTime() / DAY_MS : NaN;
        if (!Number.isInteger(days)) throw mismatch('a Date at midnight UTC', value);
        out.int(days);
      };
    case 'Time':
      return (out, value) => {
        const ms = value instanceof Date ? value.getTime() : NaN;
        if (!(ms >= 0 && ms < DAY_MS)) throw mismatch('a Date on 1970-01-01 UTC', value);
        out.int(ms);
      };
    case 'Timestamp':
      return (out, value) => {
        if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw mismatch('a valid Date', value);
        out.long(value.getTime());
      };
    case 'Decimal':
      return decimalWriter(type);
    case null:
      return plainWriter(type);
  }
}

function plainWriter(type: AvroType): Write {
  switch (type.kind) {
    case 'null':
      return (_out, value) => {
        if (value !== null && value !== undefined) throw mismatch('null', value);
      };
    case 'boolean':
      return (out, value) => {
        if (typeof value !== 'boolean') throw mismatch('true or false', value);
        out.byte(value ? 1 : 0);
      };
    case 'int':
      return (out, value) => {
        if (typeof value !== 'number' || (value | 0) !== value)
          throw mismatch('a whole number of 32 bits', value);
        out.int(value);
      };
    case 'long':
      return (out, value) => {
        if (typeof value === 'bigint' ? BigInt.asIntN(64, value) !== value : !Number.isSafeInteger(value))
          throw mismatch('a whole number of 64 bits', value);
        // One of the two, as was just seen.
        out.long(value as number | bigint);
      };
    case 'float':
      return (out, value) => out.float(numberOf(value));
    case 'double':
      return (out, value) => out.double(numberOf(value));
    case 'string':
      return (out, value) => {
        if (typeof value !== 'string') throw mismatch('text', value);
        out.string(value);
      };
    case 'bytes':
      return (out, value) => {
        if (!(value instanceof Uint8Array)) throw mismatch('bytes', value);
        out.bytes(value);
      };
    case 'fixed':
      return (out, value) => {
        if (!(value instanceof Uint8Array) || value.length !== type.size)
          throw mismatch(`${type.size} bytes`, value);
        out.raw(value);
      };
    case 'enum': {
      const indexes = new Map(type.symbols.map((symbol, i): [unknown, number] => [symbol, i]));
      return (out, value) => {
        const index = indexes.get(value);
        if (index === undefined) throw mismatch(`one of ${type.symbols.join(', ').slice(0, 200)}`, value);
        out.int(index);
      };
    }
    case 'array':
      return arrayWriter(type);
    case 'map':
      return mapWriter(type.values);
    case 'record':
      return recordWriter(type);
    case 'union':
      return unionWriter(type.branches);
  }
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw mismatch('a number', value);
  return value;
}

function decimalWriter(type: AvroType): Write {
  const scale = scaleOf(type);
  return (out, value) => {
    if (!(value instanceof Decimal)) throw mismatch('a Decimal', value);
    const bytes = value.withScale(scale).toBytes();
    if (type.kind !== 'fixed') return out.bytes(bytes);
    if (bytes.length > type.size) throw mismatch(`a Decimal of ${type.size} bytes`, value.toString());
    // The sign is carried on to the front.
    const sign = (bytes[0] ?? 0) > 0x7f ? 0xff : 0;
    out.raw(new Uint8Array(type.size - bytes.length).fill(sign));
    out.raw(bytes);
  };
}

function arrayWriter(type: Extract<AvroType, { kind: 'array' }>): Write {
  const entry = mapEntryOf(type);
  if (entry !== null) return entriesWriter(writerOf(entry.key), writerOf(entry.value));
  const write = writerOf(type.items);
  return (out, value) => {
    if (!Array.isArray(value)) throw mismatch('an array', value);
    const items: readonly unknown[] = value;
    if (items.length > 0) {
      out.int(items.length);
      for (let i = 0; i < items.length; i += 1) writeAt(`[${i}]`, write, out, items[i]);
    }
    out.byte(0);
  };
}

function mapWriter(values: AvroType): Write {
  const key: Write = (out, value) => {
    if (typeof value !== 'string') throw mismatch('text as the key of a map', value);
    out.string(value);
  };
  return entriesWriter(key, writerOf(values));
}

function entriesWriter(writeKey: Write, writeItem: Write): Write {
  return (out, value) => {
    const entries: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...value] : isFields(value) ? Object.entries(value) : none('a map', value);
    if (entries.length > 0) {
      out.int(entries.length);
      for (const [key, item] of entries) {
        writeKey(out, key);
        writeAt(`[${String(key)}]`, writeItem, out, item);
      }
    }
    out.byte(0);
  };
}

function recordWriter(type: Extract<AvroType, { kind: 'record' }>): Write {
  const fields = type.fields.map(({ name, type: field, default: json }) => ({
    name,
    write: writerOf(field),
    inherited: isInherited(name),
    // What a null stands for, where the field takes none.
    otherwise: defaultOf(field, json),
  }));
  return (out, value) => {
    if (!isFields(value)) throw mismatch('a struct', value);
    let present = 0;
    let current = '';
    try {
      for (const { name, write, inherited, otherwise } of fields) {
        current = name;
        const item = inherited ? fieldOf(value, name) : value[name];
        if (item !== undefined) present += 1;
        write(out, item ?? otherwise ?? null);
      }
    } catch (error) {
      throw located(error, `.${current}`);
    }
    // What the schema does not know must not be dropped in silence.
    if (Object.keys(value).length !== present) unknownField(type, value);
  };
}

function unknownField(
  type: Extract<AvroType, { kind: 'record' }>,
  value: Readonly<Record<string, unknown>>,
): void {
  const names = new Set(type.fields.map(({ name }) => name));
  const unknown = Object.keys(value).find((name) => !names.has(name) && value[name] !== undefined);
  if (unknown === undefined) return;
  const error = new Mismatch(`is no field of the Avro schema ${type.fullName}`);
  error.path = `.${unknown}`;
  throw error;
}

function unionWriter(branches: readonly AvroType[]): Write {
  const nullAt = branches.findIndex(({ kind }) => kind === 'null');
  const others = branches.flatMap((branch, index) =>
    branch.kind === 'null' ? [] : [{ index, name: branchName(branch), write: writerOf(branch) }],
  );
  const [only] = others;
  return (out, value) => {
    if (value === null || value === undefined) {
      if (nullAt < 0) throw mismatch('a value', null);
      out.int(nullAt);
      return;
    }
    if (only !== undefined && others.length === 1) {
      out.int(only.index);
      only.write(out, value);
      return;
    }
    // A struct of which one field is set.
    const chosen = isFields(value)
      ? others.find(({ name }) => (fieldOf(value, name) ?? null) !== null)
      : undefined;
    if (chosen === undefined || !isFields(value))
      throw mismatch(`a struct with one of ${others.map(({ name }) => name).join(', ')}`, value);
    out.int(chosen.index);
    writeAt(`.${chosen.name}`, chosen.write, out, value[chosen.name]);
  };
}

function writeAt(place: string, write: Write, out: AvroOutput, value: unknown): void {
  try {
    write(out, value);
  } catch (error) {
    throw located(error, place);
  }
}

function located(error: unknown, place: string): unknown {
  const problem = error instanceof DataError ? new Mismatch(error.message) : error;
  if (problem instanceof Mismatch) problem.path = place + problem.path;
  return problem;
}

function mismatch(wanted: string, value: unknown): Mismatch {
  return new Mismatch(`${describeValue(value)} stands where the Avro schema wants ${wanted}`);
}

function none(wanted: string, value: unknown): never {
  throw mismatch(wanted, value);
}
