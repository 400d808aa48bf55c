/** Plugin code that fails outside of the call that started it, in the threads of the planning pool. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { planningMemory } from '#troupe/core/planning-memory.js';
import { PlanningPool } from '#troupe/actors/config-sync/planning-pool.js';
import { until } from '../../support/wait.js';
import { folder, writePackage } from '../../unit/plugins/packages.js';

const SECRET = 'hunter2-stray-4410';
process.env['TROUPETEST_STRAY'] = SECRET;
const CONFIG = {
  name: 'a',
  'connector.class': 'StraySource',
  topic: 'x',
  'db.password': '${env:TROUPETEST_STRAY}',
};

/** Its check leaves a listener behind that throws when told, or throws in a callback while the check still waits. */
const STRAY = `
  const fail = (raw) => { throw Object.assign(new Error('cannot log in with ' + raw['db.password']), { code: 'STRAY' }); };
  export default {
    type: 'source',
    plugin: {
      kind: 'source', version: '1', config: [], createTask: () => ({}), taskConfigs: () => [{}],
      validate: (_, raw) => {
        if (raw.fail === 'meanwhile') {
          setImmediate(() => fail(raw));
          return new Promise(() => undefined);
        }
        const told = new BroadcastChannel(raw.fail);
        told.onmessage = () => {
          if (raw.fail === 'rejection') void Promise.reject(new Error('nobody awaits ' + raw['db.password']));
          else fail(raw);
        };
        return [];
      },
    },
  };`;

function poolFor(t: TestContext): { pool: PlanningPool; strays: unknown[] } {
  const dir = folder(t);
  const entry = { class: 'StraySource', type: 'source', version: '1', module: 'index.js' };
  writePackage(dir, [entry], { 'index.js': STRAY });
  const strays: unknown[] = [];
  const pool = new PlanningPool({
    threads: 1,
    timeoutMs: 20_000,
    memory: planningMemory(Infinity),
    pluginPaths: [dir],
    secretProviders: { env: ['TROUPETEST_*'], folders: [], scopes: [] },
    keyConverter: 'StringConverter',
    valueConverter: 'StringConverter',
    headerConverter: 'SimpleHeaderConverter',
    onStray: (error) => strays.push(error),
  });
  t.after(() => pool.close());
  return { pool, strays };
}

for (const fail of ['rejection', 'error']) {
  test(`a stray ${fail} after a check was answered costs its thread only, and tells no secret`, async (t) => {
    const { pool, strays } = poolFor(t);
    const config = { ...CONFIG, fail };
    assert.equal((await pool.run({ kind: 'validate', config })).error_count, 0);
    const tell = new BroadcastChannel(fail);
    t.after(() => tell.close());
    tell.postMessage('now');
    const [stray] = await until('it is told', () => strays.length > 0 && strays);
    assert.ok(stray instanceof Error);
    assert.match(stray.stack ?? '', /\[hidden\]/);
    assert.doesNotMatch(`${stray.message} ${stray.stack}`, new RegExp(SECRET));
    assert.equal((await pool.run({ kind: 'validate', config })).error_count, 0);
  });
}

test('an error beside a check that waits ends the check, and tells no secret', async (t) => {
  const { pool, strays } = poolFor(t);
  const failed = await pool
    .run({ kind: 'validate', config: { ...CONFIG, fail: 'meanwhile' } })
    .then(() => null)
    .catch((error: unknown) => error);
  assert.ok(failed instanceof Error && 'code' in failed);
  assert.equal(failed.code, 'PLANNING_FAILED');
  assert.match(failed.message, /cannot log in with \[hidden\]/);
  assert.ok(failed.cause instanceof Error);
  assert.doesNotMatch(`${failed.stack} ${failed.cause.stack}`, new RegExp(SECRET));
  assert.deepEqual(strays, []);
});
