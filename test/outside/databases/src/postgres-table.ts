/** Reads the rows of one table by their id, each once. */
import pg from 'pg';
import {
  DataError,
  INT64_SCHEMA,
  int64,
  sourceRecord,
  type JsonObject,
  type SourceRecord,
} from '@troupe/sdk';
import { AS_TEXT } from './postgres-connection.js';
import { formOf, RowType } from './postgres-types.js';

export const ID = 'id';
const BEFORE_ALL = -(2n ** 63n);

/**
 * Ids are given before rows are committed, so that a smaller one may appear after a larger one. Who inserts holds a lock of the table
 * from before the id is given until the end of the transaction: up to the greatest id that was seen nothing more appears once those are
 * gone who held a lock then.
 */
interface Bounds {
  readonly greatest: bigint;
  readonly writers: ReadonlySet<string>;
}

const BOUNDS = (table: string): string => `
  SELECT c.oid::text, (SELECT max(${ID})::text FROM ${table}), array_to_string(ARRAY(
    SELECT l.virtualtransaction FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.mode = 'RowExclusiveLock'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())), ' ')
  FROM pg_class c WHERE c.oid = $1::regclass`;

export class TableReader {
  readonly partition: JsonObject;
  readonly #name: string;
  readonly #topic: string;
  /** Of the last row that was given. */
  #id = BEFORE_ALL;
  /** A table that was dropped and made anew has another one, and is read from its beginning. */
  #oid: string | null = null;
  /** Rows up to here are complete. */
  #complete = BEFORE_ALL;
  #waiting: Bounds | null = null;
  #type: { readonly form: string; readonly row: RowType } | null = null;

  constructor(schema: string, table: string, topic: string, position: JsonObject | null) {
    this.partition = partitionOf(schema, table);
    this.#name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
    this.#topic = topic;
    if (position === null) return;
    this.#id = idOf(position);
    this.#oid = typeof position['oid'] === 'string' ? position['oid'] : null;
  }

  /** The next rows, at most so many. */
  async next(client: pg.Client, limit: number): Promise<SourceRecord[]> {
    if (this.#id >= this.#complete && !(await this.#look(client))) return [];
    const { rows, fields } = await client.query<(string | null)[]>({
      text: `SELECT * FROM ${this.#name} WHERE ${ID} > $1 AND ${ID} <= $2 ORDER BY ${ID} LIMIT ${limit}`,
      values: [String(this.#id), String(this.#complete)],
      rowMode: 'array',
      types: AS_TEXT,
    });
    // Fewer than asked for: the others below the bound were deleted.
    const end = rows.length < limit ? this.#complete : null;
    const form = formOf(fields);
    if (this.#type?.form !== form) this.#type = { form, row: new RowType(this.#topic, ID, fields) };
    const at = fields.findIndex(({ name }) => name === ID);
    const records: SourceRecord[] = [];
    for (const row of rows) {
      const record = this.#record(this.#type.row, row, row[at] ?? '', records.length === 0);
      if (record === null) return records;
      records.push(record);
    }
    if (end !== null) this.#id = end;
    return records;
  }

  /** Whether there are rows to be read. */
  async #look(client: pg.Client): Promise<boolean> {
    const { rows } = await client.query<(string | null)[]>({
      text: BOUNDS(this.#name),
      values: [this.#name],
      rowMode: 'array',
      types: AS_TEXT,
    });
    const [oid = null, greatest = null, writers = ''] = rows[0] ?? [];
    if (oid !== this.#oid) {
      if (this.#oid !== null) [this.#id, this.#complete, this.#waiting] = [BEFORE_ALL, BEFORE_ALL, null];
      this.#oid = oid;
    }
    const now = {
      greatest: greatest === null ? BEFORE_ALL : BigInt(greatest),
      writers: new Set((writers ?? '').split(' ').filter((writer) => writer !== '')),
    };
    if (now.writers.size === 0) {
      this.#complete = now.greatest;
      this.#waiting = null;
    } else {
      const left = [...(this.#waiting?.writers ?? [])].filter((writer) => now.writers.has(writer));
      if (this.#waiting !== null && left.length === 0) this.#complete = this.#waiting.greatest;
      if (this.#waiting === null || left.length === 0) this.#waiting = now;
    }
    return this.#complete > this.#id;
  }

  /** null: a bad row, which the next poll begins with, as those before it are to be returned first. */
  #record(type: RowType, row: readonly (string | null)[], id: string, first: boolean): SourceRecord | null {
    const position = { id, oid: this.#oid };
    try {
      const value = type.value(row);
      this.#id = BigInt(id);
      return sourceRecord({
        topic: this.#topic,
        keySchema: INT64_SCHEMA,
        key: int64(id),
        valueSchema: type.schema,
        value,
        sourcePartition: this.partition,
        sourcePosition: position,
      });
    } catch (error) {
      if (!first) return null;
      this.#id = BigInt(id);
      throw new DataError(`row ${id} of ${this.#name} cannot be read`, {
        cause: error,
        skipTo: { partition: this.partition, position },
      });
    }
  }
}

export function partitionOf(schema: string, table: string): JsonObject {
  return { schema, table };
}

/** Throws where it is no position of ours. */
export function idOf(position: JsonObject): bigint {
  const { id } = position;
  if (typeof id === 'string' && /^-?\d{1,19}$/.test(id)) return BigInt(id);
  throw new TypeError(`a position is {"id": "123"}, not ${JSON.stringify(position)}`);
}
