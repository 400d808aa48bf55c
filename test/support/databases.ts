/** A schema of PostgreSQL that rows are written into, and a database of MariaDB that they are to arrive in. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { MARIADB, missingServer, POSTGRES } from '@troupe/test-support/require-servers';

const ROW = `id bigserial PRIMARY KEY, name text NOT NULL, amount numeric(12, 3), huge bigint, small smallint, ratio float8,
  good boolean, day date, at timestamp(3), data bytea`;
const FIELDS = 'id, name, amount, huge, small, ratio, good, day, at, data';
const TARGET = `id BIGINT PRIMARY KEY, name LONGTEXT CHARACTER SET utf8mb4, amount DECIMAL(65, 3), huge BIGINT,
  small SMALLINT, ratio DOUBLE, good BOOLEAN, day DATE, at DATETIME(3), data LONGBLOB`;
/** Rows that are compared at once. */
const PAGE = 5000;

/** Null: both are there. */
export async function missingDatabases(): Promise<string | null> {
  const postgres = await missingServer('PostgreSQL', POSTGRES, async () => {
    const client = new pg.Client(POSTGRES);
    await client.connect();
    await client.end();
  });
  if (postgres !== null) return postgres;
  return missingServer('MariaDB', MARIADB, async () => {
    await (await mysql.createConnection(MARIADB)).end();
  });
}

export class Databases {
  readonly name = `troupe_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  readonly #source = new pg.Client(POSTGRES);
  /** Writes beside the other, in transactions that overlap with its own. */
  readonly #second = new pg.Client(POSTGRES);
  readonly #target: Connection;
  readonly #tables: string[] = [];

  private constructor(target: Connection) {
    this.#target = target;
  }

  static async create(): Promise<Databases> {
    const target = await mysql.createConnection({
      ...MARIADB,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
    const made = new Databases(target);
    await made.#source.connect();
    await made.#second.connect();
    await made.#source.query(`CREATE SCHEMA ${made.name}`);
    for (const client of [made.#source, made.#second])
      await client.query(`SET search_path = ${made.name}; SET timezone = 'UTC'; SET datestyle = 'ISO'`);
    await target.query(`CREATE DATABASE ${made.name}`);
    await target.query(`USE ${made.name}`);
    await target.query('CREATE TABLE journal (place VARCHAR(50), id BIGINT, event CHAR(6)) ENGINE = InnoDB');
    return made;
  }

  async drop(): Promise<void> {
    await this.#second.end();
    await this.#source.query(`DROP SCHEMA ${this.name} CASCADE`);
    await this.#source.end();
    await this.#target.query(`DROP DATABASE ${this.name}`);
    await this.#target.end();
  }

  get sourceConfig(): Record<string, string> {
    const { host, port, user, password, database } = POSTGRES;
    return { host, port: String(port), user, password, database, schema: this.name };
  }

  get sinkConfig(): Record<string, string> {
    const { host, port, user, password } = MARIADB;
    return { host, port: String(port), user, password, database: this.name };
  }

  /** The target's table is there before, with a journal of what is done to it: an upsert that is done twice leaves the same row. */
  async addTable(table: string): Promise<void> {
    await this.#target.query(`CREATE TABLE ${table} (${TARGET}) ENGINE = InnoDB`);
    for (const [event, word] of [
      ['AFTER INSERT', 'insert'],
      ['BEFORE UPDATE', 'update'],
    ] as const)
      await this.#target.query(
        `CREATE TRIGGER ${table}_${word} ${event} ON ${table} FOR EACH ROW INSERT INTO journal VALUES ('${table}', NEW.id, '${word}')`,
      );
    await this.#source.query(`CREATE TABLE ${table} (${ROW})`);
    this.#tables.push(table);
  }

  /** In two transactions that overlap: those of the one that began first are committed last. */
  async insert(table: string, count: number): Promise<void> {
    const half = Math.floor(count / 2);
    const insert = `INSERT INTO ${table} (name, amount, huge, small, ratio, good, day, at, data)
      SELECT 'row '' \\ 🎭 ' || n, n * 1.125, 9007199254740993 + n, n % 32000, n / 3.0, n % 2 = 0,
        date '1999-12-31' + n, timestamp '2020-02-28 23:59:59.123' + n * interval '1 s', decode(lpad(to_hex(n), 8, '0'), 'hex')
      FROM generate_series(1, $1) n`;
    await this.#second.query('BEGIN');
    await this.#second.query(insert, [half]);
    await this.#source.query(insert, [count - half]);
    await this.#second.query('COMMIT');
  }

  async update(table: string): Promise<void> {
    await this.#source.query(
      `UPDATE ${table} SET name = 'changed ' || id, amount = -amount, huge = NULL WHERE id % 7 = 0`,
    );
  }

  async count(table: string): Promise<number> {
    const { rows } = await this.#source.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
    return Number(rows[0]?.n);
  }

  /** How many rows were written so far, each as often as it was. */
  async events(): Promise<number> {
    const [[row]] = await this.#target.query<RowDataPacket[]>('SELECT count(*) AS n FROM journal');
    return Number(row?.['n']);
  }

  /** Each row is there as it is in the source, was inserted once, and updated as often as is said of its table. */
  async check(updates: Readonly<Record<string, number>>): Promise<number> {
    let count = 0;
    for (const table of this.#tables) {
      count += await this.#checkRows(table);
      const [odd] = await this.#target.query<RowDataPacket[]>(
        `SELECT id, sum(event = 'insert') AS inserts, sum(event = 'update') AS updates FROM journal WHERE place = ?
         GROUP BY id HAVING inserts <> 1 OR updates <> ? LIMIT 10`,
        [table, updates[table] ?? 0],
      );
      assert.deepEqual(odd, [], `rows of ${table} that were written otherwise`);
    }
    return count;
  }

  async #checkRows(table: string): Promise<number> {
    let [last, count] = ['0', 0];
    for (;;) {
      const types = { getTypeParser: () => (text: string) => text };
      const { rows: wanted } = await this.#source.query<(string | null)[]>({
        text: `SELECT ${FIELDS} FROM ${table} WHERE id > $1 ORDER BY id LIMIT ${PAGE}`,
        ...{ values: [last], rowMode: 'array', types },
      });
      const [found] = await this.#target.query<RowDataPacket[][]>({
        // As text: mysql2 loses the last digits of a DOUBLE that it reads.
        sql: `SELECT ${FIELDS.replace('ratio', 'CAST(ratio AS CHAR)')} FROM ${table} WHERE id > ? ORDER BY id LIMIT ${PAGE}`,
        ...{ values: [last], rowsAsArray: true },
      });
      const [is, wants] = [found.map(textsOfTarget), wanted.map(textsOfSource)];
      const odd = wants.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(is[i]));
      assert.deepEqual([is[odd], is.length], [wants[odd], wants.length]);
      if (wanted.length === 0) return count;
      count += wanted.length;
      last = wanted.at(-1)?.[0] ?? last;
    }
  }
}

function textsOfSource(row: readonly (string | null)[]): (string | null)[] {
  return row.map((text, i) =>
    i === 5 ? String(Number(text)) : i === 8 && text !== null ? padded(text) : text,
  );
}

function textsOfTarget(row: readonly unknown[]): (string | null)[] {
  return row.map((value, i) => {
    if (value === null) return null;
    if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (i === 5) return String(Number(text));
    return i === 6 ? (text === '1' ? 't' : 'f') : i === 8 ? padded(text) : text;
  });
}

/** PostgreSQL leaves out zeros at the end. */
function padded(time: string): string {
  return time.padEnd('2020-02-28 23:59:59.123'.length, time.includes('.') ? '0' : '.000');
}
