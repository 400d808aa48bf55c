import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import {
  BYTES_SCHEMA,
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  int64,
  INT64_SCHEMA,
  SchemaBuilder,
  STRING_SCHEMA,
  TIMESTAMP_SCHEMA,
} from '@troupe/sdk';
import { acceptSink, SinkHarness, type SinkFixture } from '@troupe/sdk/testing';
import plugin from '../src/mariadb-sink.js';
import { MARIADB, ownName, Way } from './servers.js';

const VALUE = SchemaBuilder.struct()
  .field('id', INT64_SCHEMA)
  .field('name', STRING_SCHEMA)
  .field('amount', decimalSchema(2).build())
  .field('huge', INT64_SCHEMA)
  .field('day', DATE_SCHEMA)
  .field('at', TIMESTAMP_SCHEMA)
  .field('data', BYTES_SCHEMA)
  .build();
const DAY_MS = 86_400_000;

const value = (n: number): unknown => ({
  id: n,
  name: `it's record \\${n} 🎭`,
  amount: Decimal.parse(`-${n}.05`),
  huge: 2n ** 60n + BigInt(n),
  day: new Date(n * DAY_MS),
  at: new Date(1_700_000_000_000 + n),
  data: Buffer.from([n % 256, 0, 39]),
});

interface Fixture extends SinkFixture {
  readonly sql: (text: string) => Promise<RowDataPacket[]>;
  readonly cleanup: () => Promise<void>;
}

async function setup(): Promise<Fixture> {
  const [name, password] = [ownName(), ownName()];
  const connection = await createConnection({
    ...MARIADB,
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  const sql = async (text: string): Promise<RowDataPacket[]> => {
    const [rows] = await connection.query<RowDataPacket[]>(text);
    return rows;
  };
  await sql(`CREATE DATABASE ${name}`);
  await sql(`CREATE USER ${name}@'%' IDENTIFIED BY '${password}'`);
  await sql(`GRANT ALL ON ${name}.* TO ${name}@'%'`);
  await sql(`USE ${name}`);
  await sql('CREATE TABLE journal (n BIGINT AUTO_INCREMENT PRIMARY KEY, place VARCHAR(50), id BIGINT)');
  for (const table of ['acceptance', 'acceptance-a', 'acceptance-b']) await journaled(sql, table);
  const way = new Way(MARIADB.host, MARIADB.port);
  await way.open();
  return {
    config: {
      host: '127.0.0.1',
      port: String(way.port),
      database: name,
      user: name,
      password,
      'batch.rows': '3',
    },
    sql,
    read: async () => {
      const values: unknown[] = [];
      for (const { place, id } of await sql('SELECT place, id FROM journal ORDER BY n')) {
        const [row] = await sql(`SELECT * FROM \`${String(place)}\` WHERE id = ${String(id)}`);
        if (row !== undefined) values.push(valueOf(row));
      }
      return values;
    },
    interrupt: async () => {
      await way.cut();
      return () => way.open();
    },
    cleanup: async () => {
      await way.end();
      await sql(`DROP DATABASE ${name}`);
      await sql(`DROP USER ${name}@'%'`);
      await connection.end();
    },
  };
}

/** An upsert that comes twice leaves the same row: a journal shows it. */
async function journaled(sql: Fixture['sql'], table: string): Promise<void> {
  await sql(
    `CREATE TABLE \`${table}\` (id BIGINT PRIMARY KEY, name TEXT CHARACTER SET utf8mb4, amount DECIMAL(20, 2),
     huge BIGINT, day DATE, at DATETIME(3), data BLOB)`,
  );
  for (const event of ['AFTER INSERT', 'BEFORE UPDATE'])
    await sql(
      `CREATE TRIGGER \`${table} ${event}\` ${event} ON \`${table}\` FOR EACH ROW
       INSERT INTO journal (place, id) VALUES ('${table}', NEW.id)`,
    );
}

function valueOf({ id, name, amount, huge, day, at, data }: RowDataPacket): unknown {
  return {
    id: Number(id),
    name: String(name),
    amount: Decimal.parse(String(amount)),
    huge: int64(String(huge)),
    day: day as unknown,
    at: at as unknown,
    data: data as unknown,
  };
}

acceptSink({
  name: 'mariadb-upsert',
  plugin,
  setup,
  guarantee: 'exactly-once',
  value,
  valueSchema: VALUE,
  key: (n) => ({ schema: INT64_SCHEMA, value: n }),
  wrongConfigs: [{ change: { 'key.column': '' }, field: 'key.column' }],
});

async function harnessed(body: (fixture: Fixture, harness: SinkHarness) => Promise<void>): Promise<void> {
  assert.ok(plugin.type === 'sink');
  const fixture = await setup();
  const harness = new SinkHarness(plugin.plugin, fixture.config, { queues: [{ topic: 'made', queue: 0 }] });
  try {
    await harness.start();
    await body(fixture, harness);
  } finally {
    await harness.dispose();
    await fixture.cleanup();
  }
}

const NAMED = SchemaBuilder.struct().field('id', INT64_SCHEMA).field('name', STRING_SCHEMA).build();
const named = (id: number, name: string) => ({
  ...{ key: id, keySchema: INT64_SCHEMA },
  ...{ value: { id, name }, valueSchema: NAMED },
});
const gone = (id: number) => ({ key: id, keySchema: INT64_SCHEMA, value: null });

test('a later record of a key replaces the row, and a tombstone deletes it, in the order of the records', () =>
  harnessed(async ({ sql }, harness) => {
    const records = [
      named(1, 'a'),
      named(2, 'b'),
      named(1, 'c'),
      gone(2),
      named(3, 'd'),
      gone(3),
      named(3, 'e'),
    ];
    harness.appendRecords(0, [gone(9), ...records]);
    await harness.deliver();
    await harness.stop();
    const rows = await sql('SELECT id, name FROM made ORDER BY id');
    assert.deepEqual(
      rows.map(({ id, name }) => `${String(id)} ${String(name)}`),
      ['1 c', '3 e'],
    );
  }));

test('a record that does not fit its column is reported, and those around it are written', () =>
  harnessed(async ({ sql }, harness) => {
    await sql('CREATE TABLE made (id BIGINT PRIMARY KEY, name VARCHAR(5))');
    harness.appendRecords(0, [named(1, 'short'), named(2, 'much too long'), named(3, 'short')]);
    await harness.deliver();
    await harness.stop();
    assert.deepEqual(
      (await sql('SELECT id FROM made ORDER BY id')).map(({ id }) => Number(id)),
      [1, 3],
    );
    assert.deepEqual(
      harness.reported.map(({ record }) => record.originalOffset),
      [1],
    );
  }));

test('a task that has lost its queue to another one writes nothing', () =>
  harnessed(async ({ sql }, harness) => {
    harness.appendRecords(0, [named(1, 'first')]);
    await harness.deliver();
    await harness.flush();
    await sql('UPDATE troupe_offsets SET next_offset = 5');
    harness.appendRecords(0, [named(2, 'second')]);
    await harness.deliver();
    await assert.rejects(() => harness.flush(), /another task has written/);
    const [row] = await sql('SELECT count(*) AS rows_there FROM made');
    assert.equal(Number(row?.['rows_there']), 1);
  }));
