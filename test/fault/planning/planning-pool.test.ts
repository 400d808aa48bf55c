/** Plugins that plan badly, beside others that must not notice. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConnectorConfigs } from '#troupe/actors/config-sync/connector-configs.js';
import { PlanningPool, type PlanningPoolOptions } from '#troupe/actors/config-sync/planning-pool.js';
import type { PlanningLine } from '#troupe/actors/config-sync/planning-lines.js';
import { PluginCatalogs } from '#troupe/actors/config-sync/plugin-catalogs.js';
import type { ConfigEntry } from '#troupe/core/connectors/config-machine.js';
import { planningMemory } from '#troupe/core/planning-memory.js';
import { savedConfigs } from '#troupe/core/connectors/saved-states.js';
import { Replica } from '#troupe/core/replica/replicated-state.js';
import { ConnectError } from '#troupe/sdk/errors.js';
import { MemoryTopic } from '../../property/replica/memory-topic.js';
import { folder, writePackage } from '../../unit/plugins/packages.js';
import { until } from '../../support/wait.js';

const source = (body: string): string => `
  import { parentPort } from 'node:worker_threads';
  const forever = () => { setInterval(() => undefined, 1000); return new Promise(() => undefined); };
  export default { type: 'source', plugin: {
    kind: 'source', version: '1', config: [], createTask: () => ({}), taskConfigs: () => [{}], ${body}
  } };`;

const MODULES = {
  Hangs: source("taskConfigs: (context) => { context.log.info('hangs'); return forever(); }"),
  HangsInCheck: source(
    "validate: () => { parentPort.postMessage({ type: 'planning line', connector: 'c', level: 'info', message: 'checks', fields: '' }); return forever(); }",
  ),
  Poisons: source(
    'validate: () => { Array.prototype.filter = () => []; globalThis.poisoned = true; return []; }',
  ),
  Looks: source(
    "validate: () => globalThis.poisoned ? [{ field: 'name', value: null, reason: 'is poisoned' }] : []",
  ),
  Talks: source(`taskConfigs: async (context) => {
    context.log.info('planning', { shards: 3 });
    for (let i = 0; i < 1000; i += 1) context.log.debug('again');
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
    return [{ ended: 'in time' }];
  }`),
  NeverLoads: 'await new Promise(() => setInterval(() => undefined, 1000));',
  Broken: 'export default {\n  a: 1,\n  b c\n};\n',
};
type Class = keyof typeof MODULES;

function poolFor(t: TestContext, more: Partial<PlanningPoolOptions> = {}) {
  const dir = folder(t);
  for (const [name, text] of Object.entries(MODULES))
    writePackage(join(dir, name), [{ class: name, type: 'source', version: '1', module: 'index.js' }], {
      'index.js': text,
    });
  const warned: string[] = [];
  const defaults = {
    keyConverter: 'StringConverter',
    valueConverter: 'StringConverter',
    headerConverter: 'SimpleHeaderConverter',
  };
  const log = { warn: (_: object, message: string) => void warned.push(message) };
  const catalogs = new PluginCatalogs({ ...defaults, pluginPaths: [dir] }, log);
  const lines: PlanningLine[] = [];
  const pool = new PlanningPool({
    ...defaults,
    threads: 2,
    timeoutMs: 20_000,
    memory: planningMemory(Infinity),
    pluginPaths: [dir],
    packagesOf: (job) => catalogs.packagesOf(job),
    onStray: () => undefined,
    onLine: (line) => lines.push(line),
    ...more,
  });
  t.after(() => pool.close());
  const config = (name: Class) => ({ name: 'c', 'connector.class': name, topic: 't' });
  return {
    pool,
    lines,
    catalogs,
    warned,
    plan: (name: Class, signal?: AbortSignal) =>
      pool.run({ kind: 'plan', name: 'c', config: config(name) }, signal && { signal }),
    validate: (name: Class) => pool.run({ kind: 'validate', config: config(name) }),
  };
}

test('what one plugin changes in its thread no plugin of another package meets', async (t) => {
  const { validate } = poolFor(t, { threads: 1 });
  await validate('Poisons');
  for (let i = 0; i < 3; i += 1) assert.equal((await validate('Looks')).error_count, 0);
});

test('plans that hang leave a thread for others, and end when nobody wants them any more', async (t) => {
  const { plan, validate } = poolFor(t);
  const ending = new AbortController();
  const hanging = [1, 2, 3].map(() =>
    plan('Hangs', ending.signal).then(
      () => null,
      (error: unknown) => error,
    ),
  );
  assert.equal((await validate('Looks')).error_count, 0);
  const still = Promise.resolve('they hang still');
  assert.equal(await Promise.race([...hanging, still]), 'they hang still');
  ending.abort();
  for (const ended of await Promise.all(hanging)) assert.match(String(ended), /not planned|planning failed/);
  assert.equal((await validate('Looks')).error_count, 0);
});

/** A connector `c` whose plan hangs, on a node alone. */
async function hangingPlan(t: TestContext, threads: number) {
  const made = poolFor(t, { threads, timeoutMs: 600_000 });
  const replica = new Replica({
    machine: savedConfigs,
    port: new MemoryTopic(),
    writer: { node: 'n', incarnation: 'i' },
  });
  await replica.boot();
  const following = new AbortController();
  const followed = replica.follow(following.signal);
  t.after(async () => {
    following.abort();
    await followed;
  });
  const configs = new ConnectorConfigs(replica, made.pool);
  const put = (more: Record<string, string>, signal?: AbortSignal) =>
    configs.put({ name: 'c', config: { topic: 't', ...more }, mode: 'put' }, signal);
  await put({ 'connector.class': 'Hangs' });
  const planned = configs.plan({ name: 'c', epoch: 1 }, new AbortController().signal).then(
    () => null,
    (error: unknown) => error,
  );
  await until('it hangs', () => made.lines.length > 0);
  const ended = async (): Promise<void> => {
    const error = await planned;
    assert.ok(error instanceof ConnectError && error.code === 'TASKS_STALE', String(error));
  };
  return { ...made, replica, configs, put, planned, ended };
}

const ENDINGS: readonly (readonly [what: string, entry: ConfigEntry])[] = [
  ['deleted', { type: 'DELETE', name: 'c' }],
  [
    'changed',
    { type: 'CONNECTOR', name: 'c', config: { name: 'c', 'connector.class': 'Looks', topic: 't' } },
  ],
];
for (const [what, entry] of ENDINGS) {
  test(`the plan of a connector that is ${what} meanwhile ends, and its thread is free`, async (t) => {
    const { replica, ended, validate } = await hangingPlan(t, 1);
    await replica.submit(entry);
    await ended();
    assert.equal((await validate('Looks')).error_count, 0);
  });
}

for (const threads of [1, 2]) {
  test(`a new config waits for no plan of the one that it replaces, of ${threads} thread(s)`, async (t) => {
    const { put, ended, configs } = await hangingPlan(t, threads);
    const { entry } = await put({ 'connector.class': 'Hangs', mended: 'yes' });
    assert.equal(configs.get('c')?.version, entry.version);
    await ended();
  });
}

test('a new config that is refused has its plan made again, and ends no plan that leaves it a thread', async (t) => {
  const { put, planned, ended, configs } = await hangingPlan(t, 2);
  const stored = configs.get('c')?.version;
  await assert.rejects(put({ 'connector.class': 'NotThere' }), /invalid/);
  const still = Promise.resolve('it hangs still');
  assert.equal(await Promise.race([planned, still]), 'it hangs still');
  await assert.rejects(put({ 'connector.class': 'Hangs', topic: '' }), /invalid/);
  await ended();
  assert.equal(configs.get('c')?.version, stored);
});

test('a check that nobody waits for any more ends, and nothing is written', async (t) => {
  const { pool, lines, validate } = poolFor(t, { threads: 1, timeoutMs: 600_000 });
  const replica = new Replica({
    machine: savedConfigs,
    port: new MemoryTopic(),
    writer: { node: 'n', incarnation: 'i' },
  });
  await replica.boot();
  const configs = new ConnectorConfigs(replica, pool);
  const leaving = new AbortController();
  const config = { topic: 't', 'connector.class': 'HangsInCheck' };
  const written = configs.put({ name: 'c', config, mode: 'put' }, leaving.signal);
  const asked = configs.validate({ ...config, name: 'd' }, { signal: leaving.signal });
  const ended = Promise.allSettled([written, asked]);
  await until('it is checked', () => lines.length > 0);
  leaving.abort();
  for (const { status } of await ended) assert.equal(status, 'rejected');
  assert.equal(configs.get('c'), null);
  assert.equal((await validate('Looks')).error_count, 0);
});

test('a plan writes to the log of the node, in bounds, and is told to end before its time is over', async (t) => {
  const { plan, lines } = poolFor(t, { timeoutMs: 8000 });
  assert.deepEqual((await plan('Talks')).configs, [{ ended: 'in time' }]);
  await until('its lines have come', () => lines.length >= 100);
  assert.equal(lines.length, 100);
  assert.deepEqual(lines[0], {
    type: 'planning line',
    connector: 'c',
    level: 'info',
    message: 'planning',
    fields: '{"shards":3}',
  });
  assert.match(lines[99]?.message ?? '', /more than is kept/);
});

test('a module that never loads is not waited for again by those who ask for its definition', async (t) => {
  const { pool } = poolFor(t, { timeoutMs: 1000 });
  const job = { kind: 'definition', class: 'NeverLoads', version: null } as const;
  const first: unknown = await pool.run(job).catch((error: unknown) => error);
  assert.match(String(first), /did not answer within 1000 ms/);
  assert.equal(await pool.run(job).catch((error: unknown) => error), first);
});

test('a plugin that does not load is no good one, and the line of a syntax error is told', async (t) => {
  const { pool, catalogs, warned } = poolFor(t, { timeoutMs: 3000 });
  assert.deepEqual(catalogs.listing().problems, []);
  await catalogs.check((plugin) => pool.run({ kind: 'definition', ...plugin }), new AbortController().signal);
  const { plugins, problems } = catalogs.listing();
  assert.deepEqual(
    plugins
      .filter(({ loads }) => loads === false)
      .map(({ class: name }) => name)
      .sort(),
    ['Broken', 'NeverLoads'],
  );
  assert.equal(problems.length, 2);
  assert.match(warned.join('\n'), /Broken 1 does not load .*: line 3: /);
});
