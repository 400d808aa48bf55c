import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { Decimal } from '@troupe/sdk';
import { acceptSource, SourceHarness, type SourceFixture } from '@troupe/sdk/testing';
import plugin from '../src/postgres-source.js';
import { ownName, POSTGRES, Way } from './servers.js';

const COLUMNS =
  'id bigserial PRIMARY KEY, name text, amount numeric(12, 2), huge bigint, at timestamptz, data bytea';
const TABLES = ['a', 'b', 'c'];

interface Fixture extends SourceFixture {
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<unknown>;
  readonly client: () => Promise<pg.Client>;
  readonly cleanup: () => Promise<void>;
}

async function setup(): Promise<Fixture> {
  const [name, password] = [ownName(), ownName()];
  const clients: pg.Client[] = [];
  const client = async (): Promise<pg.Client> => {
    const opened = new pg.Client({ ...POSTGRES, options: `-c search_path=${name}` });
    clients.push(opened);
    await opened.connect();
    return opened;
  };
  const first = await client();
  const sql = (text: string, values: readonly unknown[] = []): Promise<unknown> =>
    first.query(text, [...values]);
  await sql(`CREATE SCHEMA ${name}`);
  await sql(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  await sql(`GRANT USAGE ON SCHEMA ${name} TO ${name}`);
  await sql(`ALTER DEFAULT PRIVILEGES IN SCHEMA ${name} GRANT SELECT ON TABLES TO ${name}`);
  for (const table of TABLES) await sql(`CREATE TABLE ${table} (${COLUMNS})`);
  const way = new Way(POSTGRES.host, POSTGRES.port);
  await way.open();
  let made = 0;
  const produceOne = async (): Promise<unknown> => {
    const [n, table] = [made, TABLES[made % TABLES.length]];
    made += 1;
    const huge = 2n ** 60n + BigInt(n);
    const [at, data] = [new Date(1_700_000_000_000 + n), Buffer.from([n, 0])];
    const values = [`row ${n}`, `${n}.25`, String(huge), at, data];
    await sql(`INSERT INTO ${table} (name, amount, huge, at, data) VALUES ($1, $2, $3, $4, $5)`, values);
    const id = Math.floor(n / TABLES.length) + 1;
    return { id, name: `row ${n}`, amount: Decimal.parse(`${n}.25`), huge, at, data };
  };
  return {
    config: {
      host: '127.0.0.1',
      port: String(way.port),
      database: POSTGRES.database,
      user: name,
      password,
      schema: name,
      'poll.interval': '20',
    },
    sql,
    client,
    produce: async (count) => {
      const values: unknown[] = [];
      for (let i = 0; i < count; i += 1) values.push(await produceOne());
      return values;
    },
    interrupt: async () => {
      await way.cut();
      return () => way.open();
    },
    cleanup: async () => {
      await way.end();
      // A transaction that is open would hold the schema.
      for (const each of clients) if (each !== first) await each.end();
      await sql(`DROP SCHEMA ${name} CASCADE`);
      await sql(`DROP OWNED BY ${name}`);
      await sql(`DROP ROLE ${name}`);
      await first.end();
    },
  };
}

acceptSource({
  name: 'postgres-tables',
  plugin,
  setup,
  guarantee: 'exactly-once',
  // Tables are read side by side.
  ordered: false,
  wrongConfigs: [
    { change: { schema: '' }, field: 'schema' },
    { change: { 'discovery.interval': '10 ms' }, field: 'discovery.interval' },
  ],
});

async function harnessed(body: (fixture: Fixture, harness: SourceHarness) => Promise<void>): Promise<void> {
  assert.ok(plugin.type === 'source');
  const fixture = await setup();
  const harness = new SourceHarness(plugin.plugin, fixture.config);
  try {
    await harness.start();
    await body(fixture, harness);
  } finally {
    await harness.dispose();
    await fixture.cleanup();
  }
}

async function keys(harness: SourceHarness, count: number): Promise<unknown[]> {
  const records = await harness.collect(count);
  await harness.accept(records);
  return records.map(({ topic, key }) => `${topic} ${String(key)}`);
}

test('a row whose transaction ends late is not passed over', () =>
  harnessed(async ({ sql, client }, harness) => {
    const slow = await client();
    await slow.query('BEGIN');
    await slow.query(`INSERT INTO a (name) VALUES ('first')`);
    await sql(`INSERT INTO a (name) VALUES ('second')`);
    for (let polls = 0; polls < 5; polls += 1) assert.deepEqual(await harness.poll(), []);
    await slow.query('COMMIT');
    assert.deepEqual(await keys(harness, 2), ['a 1', 'a 2']);
  }));

test('one that goes on writing does not hold up what was there before', () =>
  harnessed(async ({ sql, client }, harness) => {
    const others = [await client(), await client()];
    await sql(`INSERT INTO a (name) VALUES ('first')`);
    // At each look somebody writes, but never the same for long.
    for (let turn = 0; turn < 4; turn += 1) {
      await others[turn % 2]?.query('BEGIN');
      await others[turn % 2]?.query('INSERT INTO a (name) VALUES ($1)', [`turn ${turn}`]);
      await others[(turn + 1) % 2]?.query('COMMIT');
      await harness.accept(await harness.poll());
    }
    const [at] = harness.positions;
    assert.ok(Number(at?.position['id']) >= 1, JSON.stringify(harness.positions));
  }));

test('tables that come are read from the next plan on, and those that went are forgotten', () =>
  harnessed(async (fixture, harness) => {
    const { sql } = fixture;
    await fixture.produce(3);
    await harness.accept(await harness.collect(3));
    await sql('DROP TABLE b');
    await sql(`CREATE TABLE "New.Table" (${COLUMNS})`);
    await sql(`INSERT INTO "New.Table" (name) VALUES ('new')`);
    await harness.stop();
    await harness.start();
    assert.deepEqual(await keys(harness, 1), ['New.Table 1']);
    const tables = harness.positions.map(({ partition }) => partition['table']);
    assert.deepEqual(tables.sort(), ['New.Table', 'a', 'c']);
  }));

test('a table that was made anew is read from its beginning', () =>
  harnessed(async (fixture, harness) => {
    const { sql } = fixture;
    await fixture.produce(9);
    await harness.accept(await harness.collect(9));
    await sql(`DROP TABLE a; CREATE TABLE a (${COLUMNS}); INSERT INTO a (name) VALUES ('again')`);
    assert.deepEqual(await keys(harness, 1), ['a 1']);
  }));

test('a row that no record can hold is bad, and the next one comes', () =>
  harnessed(async ({ sql }, harness) => {
    await sql(`INSERT INTO a (at) VALUES (now()), ('infinity'), (now())`);
    assert.deepEqual(await keys(harness, 1), ['a 1']);
    await assert.rejects(
      () => harness.poll(),
      (error: unknown) => error instanceof Error && /row 2 of .* cannot be read/.test(error.message),
    );
    assert.deepEqual(await keys(harness, 1), ['a 3']);
  }));

test('columns that are added are in the schema of the records that follow', () =>
  harnessed(async ({ sql }, harness) => {
    await sql(`INSERT INTO a (name) VALUES ('narrow')`);
    await keys(harness, 1);
    await sql('ALTER TABLE a ADD COLUMN day date');
    await sql(`INSERT INTO a (name, day) VALUES ('wide', '2026-02-03')`);
    const [record] = await harness.collect(1);
    assert.deepEqual(record?.valueSchema?.fields?.at(-1)?.name, 'day');
    assert.deepEqual(record?.value, {
      ...{ id: 2, name: 'wide', amount: null, huge: null, at: null, data: null },
      day: new Date('2026-02-03'),
    });
  }));
