/** Avro → values of records. A reader is made once for a schema. */
import { DataError, isInherited, setField } from '@troupe/sdk';
import type { AvroType } from './avro-schema.js';
import type { AvroInput } from './binary.js';
import { logicalOf, toConnect } from './logical.js';
import { branchName, mapEntryOf } from './to-connect.js';

export type Read = (input: AvroInput) => unknown;

/** Items that take no bytes could be claimed in any number. */
const MAX_EMPTY_ITEMS = 1_000_000;

export function readerOf(type: AvroType): Read {
  if (logicalOf(type) !== null) {
    const read = plainReader(type);
    return (input) => toConnect(type, read(input));
  }
  return plainReader(type);
}

function plainReader(type: AvroType): Read {
  switch (type.kind) {
    case 'null':
      return () => null;
    case 'boolean':
      return (input) => {
        const byte = input.byte();
        if (byte > 1) throw bad(`${byte} for true or false`);
        return byte === 1;
      };
    case 'int':
      return (input) => input.int();
    case 'long':
      return (input) => input.long();
    case 'float':
      return (input) => input.float();
    case 'double':
      return (input) => input.double();
    case 'string':
      return (input) => input.string();
    case 'bytes':
      return (input) => input.bytes();
    case 'fixed':
      return (input) => input.raw(type.size);
    case 'enum':
      return (input) => {
        const index = input.int();
        return type.symbols[index] ?? none(`the symbol ${index} of ${type.fullName}`);
      };
    case 'array': {
      const entry = mapEntryOf(type);
      return entry === null
        ? arrayReader(readerOf(type.items))
        : entriesReader(readerOf(entry.key), readerOf(entry.value));
    }
    case 'map':
      return mapReader(readerOf(type.values));
    case 'record':
      return recordReader(type);
    case 'union':
      return unionReader(type.branches);
  }
}

/** Calls `item` for each of an array or map, which comes in blocks. */
function blocks(input: AvroInput, item: () => void): void {
  let items = 0;
  for (let count = input.int(); count !== 0; count = input.int()) {
    // Then the size of the block in bytes follows.
    if (count < 0) input.long();
    items += Math.abs(count);
    if (Math.abs(count) > input.left && items > MAX_EMPTY_ITEMS)
      throw bad(`${items} items in ${input.left} bytes`);
    for (let i = Math.abs(count); i > 0; i -= 1) item();
  }
}

function arrayReader(read: Read): Read {
  return (input) => {
    const items: unknown[] = [];
    blocks(input, () => items.push(read(input)));
    return items;
  };
}

function entriesReader(readKey: Read, readItem: Read): Read {
  return (input) => {
    const map = new Map<unknown, unknown>();
    blocks(input, () => map.set(readKey(input), readItem(input)));
    return map;
  };
}

function mapReader(read: Read): Read {
  return (input) => {
    const fields: Record<string, unknown> = {};
    blocks(input, () => {
      const key = input.string();
      setField(fields, key, read(input));
    });
    return fields;
  };
}

function recordReader({ fields }: Extract<AvroType, { kind: 'record' }>): Read {
  const readers = fields.map(({ name, type }) => ({
    name,
    read: readerOf(type),
    inherited: isInherited(name),
  }));
  return (input) => {
    const value: Record<string, unknown> = {};
    for (const { name, read, inherited } of readers) {
      if (inherited) setField(value, name, read(input));
      else value[name] = read(input);
    }
    return value;
  };
}

function unionReader(branches: readonly AvroType[]): Read {
  const several = branches.filter(({ kind }) => kind !== 'null').length > 1;
  const readers = branches.map((branch): Read => {
    const read = readerOf(branch);
    if (!several || branch.kind === 'null') return read;
    const name = branchName(branch);
    return (input) => ({ [name]: read(input) });
  });
  return (input) => {
    const index = input.int();
    const read = readers[index];
    return read === undefined ? none(`the branch ${index} of a union`) : read(input);
  };
}

function none(what: string): never {
  throw bad(`${what}, which there is not`);
}

function bad(what: string): DataError {
  return new DataError(`the Avro data has ${what}: the schema is not its own`, { code: 'BAD_AVRO' });
}
