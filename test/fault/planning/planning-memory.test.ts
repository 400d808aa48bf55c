/** Whose memory it is: plans that compute without a pause beside others that take much. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PlanningPool } from '#troupe/actors/config-sync/planning-pool.js';
import type { PlanningLine } from '#troupe/actors/config-sync/planning-lines.js';
import { planningMemory } from '#troupe/core/planning-memory.js';
import { ConnectError } from '#troupe/sdk/errors.js';
import { until } from '../../support/wait.js';
import { folder, writePackage } from '../../unit/plugins/packages.js';

const MEGABYTE = 1024 * 1024;
/** Of the node. A plan may have a quarter. */
const MEMORY = planningMemory(1024 * MEGABYTE);

const source = (body: string): string => `
  export default { type: 'source', plugin: {
    kind: 'source', version: '1', config: [], createTask: () => ({}),
    taskConfigs: (context) => { context.log.info('begins'); ${body} }
  } };`;

const MODULES = {
  Computes: source(`
    for (const until = Date.now() + 3000; Date.now() < until; ) Math.random();
    return [{}];`),
  EatsArrays: source('const kept = []; for (;;) kept.push(new Array(4e6).fill(0.5));'),
  EatsBuffers: source('const kept = []; for (;;) kept.push(Buffer.alloc(64 << 20).fill(1));'),
  Wastes: source(`
    let sum = 0;
    for (let i = 0; i < 300; i += 1) sum += new Array(1e6).fill(0.5).length + Buffer.alloc(8 << 20).fill(1).length;
    return [{ sum: String(sum) }];`),
};

function poolFor(t: TestContext) {
  const dir = folder(t);
  for (const [name, text] of Object.entries(MODULES))
    writePackage(join(dir, name), [{ class: name, type: 'source', version: '1', module: 'index.js' }], {
      'index.js': text,
    });
  const lines: PlanningLine[] = [];
  const pool = new PlanningPool({
    threads: 2,
    timeoutMs: 120_000,
    memory: MEMORY,
    pluginPaths: [dir],
    keyConverter: 'StringConverter',
    valueConverter: 'StringConverter',
    headerConverter: 'SimpleHeaderConverter',
    onStray: () => undefined,
    onLine: (line) => lines.push(line),
  });
  t.after(() => pool.close());
  const plan = (name: keyof typeof MODULES) =>
    pool.run({ kind: 'plan', name, config: { name, 'connector.class': name, topic: 't' } });
  return { plan, lines };
}

for (const name of ['EatsArrays', 'EatsBuffers'] as const) {
  test(`a plan that computes is not taken for the one beside it that ${name}`, async (t) => {
    const { plan } = poolFor(t);
    const computed = plan('Computes');
    const eaten: unknown = await plan(name).catch((error: unknown) => error);
    assert.ok(eaten instanceof ConnectError && eaten.code === 'PLANNING_OUT_OF_MEMORY', String(eaten));
    assert.match(eaten.message, /256 MB/);
    assert.deepEqual((await computed).configs, [{}]);
  });
}

test('what others take while a plan computes is not laid to it', async (t) => {
  const { plan, lines } = poolFor(t);
  const computed = plan('Computes');
  await until('it computes', () => lines.length > 0);
  const taken = Array.from({ length: 10 }, () => Buffer.alloc(64 * MEGABYTE).fill(1));
  assert.deepEqual((await computed).configs, [{}]);
  assert.equal(taken.length, 10);
});

test('garbage is no memory that a plan holds', async (t) => {
  const { plan } = poolFor(t);
  assert.equal((await plan('Wastes')).configs.length, 1);
});
