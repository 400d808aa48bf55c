/** What records do to tables. */
import { type Connection, type RowDataPacket } from 'mysql2/promise';
import { DataError, fieldOf, isFields, type SinkRecord } from '@troupe/sdk';
import { columnOf, keyColumnOf, sqlValue, type Column, type SqlValue } from './mariadb-types.js';

/** A row that is there afterwards, or is not. */
export interface Operation {
  readonly record: SinkRecord;
  readonly table: string;
  readonly key: SqlValue;
  /** The key's first; null: the row is to be gone. */
  readonly columns: readonly Column[] | null;
  readonly values: readonly SqlValue[];
}

const MAX_ROWS = 500;
const MAX_CHARS = 4_000_000;

/** Throws DataError for a record that no table can have. */
export function operationOf(record: SinkRecord, keyName: string): Operation {
  const { topic: table, key, value, valueSchema, tombstone } = record;
  const keyColumn = keyColumnOf(keyName, key);
  const keyValue = sqlValue(record.keySchema, key);
  if (tombstone) return { record, table, key: keyValue, columns: null, values: [] };
  if (valueSchema?.type !== 'STRUCT' || !isFields(value))
    throw new DataError('only a struct with a schema makes a row');
  const fields = (valueSchema.fields ?? []).filter(({ name }) => name !== keyName);
  return {
    record,
    table,
    key: keyValue,
    columns: [keyColumn, ...fields.map(({ name, schema }) => columnOf(name, schema))],
    values: [keyValue, ...fields.map(({ name, schema }) => sqlValue(schema, fieldOf(value, name)))],
  };
}

/** The tables that there are, with the types of their columns: made, and widened, as records need them. */
export class Tables {
  readonly #known = new Map<string, Map<string, string>>();

  /** Ends a transaction that is open: call it before one. */
  async prepare(connection: Connection, operations: readonly Operation[]): Promise<void> {
    for (const { table, columns } of operations) {
      const known = this.#known.get(table) ?? (await this.#load(connection, table));
      if (columns === null) continue;
      const [key, ...rest] = columns;
      if (key === undefined) continue;
      if (known.size === 0) {
        const defined = [`?? ${key.type} NOT NULL PRIMARY KEY`, ...rest.map(({ type }) => `?? ${type} NULL`)];
        const names = [table, key.name, ...rest.map(({ name }) => name)];
        await connection.query(
          `CREATE TABLE IF NOT EXISTS ?? (${defined.join(', ')}) ENGINE = InnoDB`,
          names,
        );
        await this.#load(connection, table);
      }
      for (const { name, type } of rest) {
        if (this.#known.get(table)?.has(name) !== false) continue;
        await connection.query(`ALTER TABLE ?? ADD COLUMN IF NOT EXISTS ?? ${type} NULL`, [table, name]);
        this.#known.get(table)?.set(name, type);
      }
    }
  }

  has(table: string): boolean {
    return (this.#known.get(table)?.size ?? 0) > 0;
  }

  /** MariaDB would take a text for the number that it begins with, and delete another row. */
  checkKey({ table, key }: Operation, keyName: string): void {
    const isText = /char|text/.test(this.#known.get(table)?.get(keyName) ?? '');
    if (typeof key === 'string' && !isText && !/^-?\d+$/.test(key))
      throw new DataError(`the key of ${table} is a number, and not ${JSON.stringify(key)}`);
  }

  async #load(connection: Connection, table: string): Promise<Map<string, string>> {
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?',
      [table],
    );
    const names = new Map(rows.map((row) => [String(row['name']), String(row['type'])]));
    this.#known.set(table, names);
    return names;
  }
}

/** In the order of the records, as many at once as one statement takes. */
export async function apply(
  connection: Connection,
  tables: Tables,
  operations: readonly Operation[],
  keyName: string,
): Promise<void> {
  for (const group of grouped(operations)) {
    const [{ table, columns }] = group;
    if (!tables.has(table)) continue;
    if (columns === null) {
      for (const operation of group) tables.checkKey(operation, keyName);
      await connection.query('DELETE FROM ?? WHERE ?? IN (?)', [table, keyName, group.map(({ key }) => key)]);
      continue;
    }
    const names = columns.map(({ name }) => name);
    const others = names.length > 1 ? names.slice(1) : names;
    const set = others.map(() => '?? = VALUES(??)').join(', ');
    await connection.query(`INSERT INTO ?? (??) VALUES ? ON DUPLICATE KEY UPDATE ${set}`, [
      table,
      names,
      group.map(({ values }) => values),
      ...others.flatMap((name) => [name, name]),
    ]);
  }
}

type Group = [Operation, ...Operation[]];

function grouped(operations: readonly Operation[]): Group[] {
  const groups: Group[] = [];
  let chars = 0;
  for (const operation of operations) {
    const last = groups.at(-1);
    chars += charsOf(operation);
    if (last !== undefined && last.length < MAX_ROWS && chars < MAX_CHARS && sameForm(last[0], operation)) {
      last.push(operation);
    } else {
      groups.push([operation]);
      chars = charsOf(operation);
    }
  }
  return groups;
}

function sameForm(a: Operation, b: Operation): boolean {
  if (a.table !== b.table) return false;
  if (a.columns === null || b.columns === null) return a.columns === b.columns;
  return (
    a.columns.length === b.columns.length && a.columns.every(({ name }, i) => name === b.columns?.[i]?.name)
  );
}

function charsOf({ values }: Operation): number {
  return values.reduce<number>((sum, value) => {
    const length = typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 8;
    return sum + 2 * length;
  }, 0);
}
