/**
 * What somebody outside writes with `@troupe/sdk`: rows from PostgreSQL into MariaDB. Built and accepted as its author would, then
 * run by a node that is killed.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requireService } from '@troupe/test-support/require-service';
import { Databases, missingDatabases } from '../support/databases.js';
import { NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { copyOutside, install, pack, packSdk, packTroupe, run, unpackTroupe } from '../support/outside.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const KILLS = 8;
const ROWS = Number(process.env['TEST_ROWS'] ?? 100_000);
/** Kills after the rows are there, while one table is read once more. */
const LATE_KILLS = 2;
const TABLES = ['orders', 'customers', 'items', 'prices', 'visits', 'returns'];
const ARRIVAL_MS = 120_000;
const LIBRARIES = ['pg', 'mysql2'];

const json = (part: string) => ({
  [`${part}.converter`]: 'JsonConverter',
  [`${part}.converter.schemas.enable`]: 'true',
});
const typed = { ...json('key'), ...json('value') };

const dir = temporaryFolder();
after(() => removeFolder(dir));
const connectors = copyOutside('databases', dir);
const sdk = await packSdk(dir);
const skip = requireService(
  (await missingDatabases()) ??
    (await install(connectors, [sdk], [...LIBRARIES, '@types/pg', '@types/node', 'typescript'])),
);
if (skip === false) await run(connectors, 'npm', 'run', 'build');

test('connectors of databases that were built with the SDK alone are accepted', { skip }, async (t) => {
  for (const side of ['source', 'sink'])
    await t.test(`the ${side} passes the acceptance suite`, async () => {
      const file = `dist/test/accept-${side}.js`;
      const tap = await run(connectors, process.execPath, '--test', '--test-reporter=tap', file);
      assert.match(tap, /^# fail 0$/m);
      assert.ok(Number(/^# pass (\d+)$/m.exec(tap)?.[1]) >= 30, tap);
    });
});

test(`${ROWS} rows go from PostgreSQL into MariaDB, each once, under ${KILLS} kills`, { skip }, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const databases = await Databases.create();
  t.after(() => databases.drop());
  const node = await installed();
  t.after(() => node.kill());

  await databases.addTable(TABLES[0] ?? '');
  await node.start();
  await createConnectors(node, databases);
  let [rows, tables] = [0, 1];
  for (let kill = 0; kill < KILLS - LATE_KILLS; kill += 1) {
    if (kill > 0) node.spawn();
    // Tables come while it runs, and while it does not.
    if (kill > 0 && tables < TABLES.length) await databases.addTable(TABLES[tables++] ?? '');
    const share = Math.floor(((kill + 1) * ROWS) / (KILLS - LATE_KILLS)) - rows;
    rows += share;
    const before = await databases.events();
    for (let part = 0; part < 5; part += 1) {
      const upTo = (parts: number): number => Math.floor((share * parts) / 5);
      await databases.insert(TABLES[next(tables)] ?? '', upTo(part + 1) - upTo(part));
      await letPass(next(kill % 2 === 0 ? 900 : 400));
    }
    // Every other time it has come to the writing, however slow the machine is.
    if (kill % 2 === 0) {
      await until('rows arrive', async () => (await databases.events()) > before, ARRIVAL_MS);
      await letPass(next(1000));
    }
    await node.kill();
  }
  await node.start();
  await until('all rows arrived', async () => (await databases.events()) >= rows, ARRIVAL_MS);
  assert.equal(await databases.check({}), ROWS);

  await databases.update('orders');
  await readAgain(node, databases.name);
  for (let kill = 0; kill < LATE_KILLS; kill += 1) {
    await letPass(next(1500));
    await node.kill();
    node.spawn();
  }
  await node.booted();
  const again = await databases.count('orders');
  await until('all came again', async () => (await databases.events()) >= rows + again, ARRIVAL_MS);
  assert.equal(await databases.check({ orders: 1 }), ROWS);
  assert.equal(await node.stop(), 0, 'an orderly stop');
});

/** A node of the packed Troupe, with the packed connectors in a folder of plugins. */
async function installed(): Promise<NodeProcess> {
  const [plugins, work] = [join(dir, 'plugins'), join(dir, 'work')];
  for (const folder of [plugins, work]) mkdirSync(folder);
  const missing = await install(plugins, [await pack(connectors, dir), sdk], LIBRARIES, [
    '--prefix',
    plugins,
  ]);
  assert.equal(missing, null);
  const main = await unpackTroupe(await packTroupe(dir), join(dir, 'app'));
  return NodeProcess.create(work, { pluginPaths: join(plugins, 'node_modules') }, main);
}

async function createConnectors(node: NodeProcess, databases: Databases): Promise<void> {
  await node.run('read', {
    'connector.class': 'com.acme.PostgresTablesSource',
    'tasks.max': '3',
    ...databases.sourceConfig,
    'topic.prefix': 'shop.',
    'poll.interval': '50 ms',
    'discovery.interval': '1 s',
    ...typed,
  });
  await node.run('write', {
    'connector.class': 'com.acme.MariaDbUpsertSink',
    'tasks.max': '2',
    'topics.regex': 'shop\\..*',
    ...databases.sinkConfig,
    'offset.flush.interval.ms': '200',
    transforms: 'table',
    'transforms.table.type': 'RegexRouter',
    'transforms.table.regex': 'shop\\.(.*)',
    'transforms.table.replacement': '$1',
    ...typed,
  });
}

/** The position of one table is taken away: its rows come once more, as they are now. */
async function readAgain(node: NodeProcess, schema: string): Promise<void> {
  await node.request('PUT', '/connectors/read/stop');
  await until('its tasks have stopped', async () => {
    const { body } = await node.request('GET', '/connectors/read/status');
    return (body as { tasks: unknown[] }).tasks.length === 0;
  });
  await until('the position was removed', async () => {
    const reply = await node.request('PATCH', '/connectors/read/offsets', {
      offsets: [{ partition: { schema, table: 'orders' }, offset: null }],
    });
    if (reply.status === 200) return true;
    throw new Error(JSON.stringify(reply));
  });
  await node.request('PUT', '/connectors/read/resume');
}
