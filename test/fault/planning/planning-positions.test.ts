/** A connector that reads its positions while it plans, in the pool. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PlanningPool } from '#troupe/actors/config-sync/planning-pool.js';
import { servePositions } from '#troupe/actors/config-sync/planning-positions.js';
import { PositionPages } from '#troupe/actors/persistence/position-pages.js';
import type { PersistenceProtocol } from '#troupe/actors/persistence/protocol.js';
import { planningMemory } from '#troupe/core/planning-memory.js';
import { LogError } from '#troupe/log/log.js';
import { folder, writePackage } from '../../unit/plugins/packages.js';
import { refTo } from '../../support/ref.js';

const COUNT = 100_000;
const MODULE = `export default { type: 'source', plugin: {
  kind: 'source', version: '1', config: [], createTask: () => ({}),
  async taskConfigs(context, config, raw) {
    const [all, some] = await Promise.all([context.positions(), context.positions({ kind: 'odd' })]);
    return [{ all: String(all.length), some: String(some.length), last: JSON.stringify(all.at(-1)) }];
  },
} };`;

type Positions = PersistenceProtocol['ask']['positions'];

function planWith(t: TestContext, positions: (request: Positions['request']) => Positions['reply']) {
  const dir = folder(t);
  writePackage(join(dir, 'p'), [{ class: 'Reads', type: 'source', version: '1', module: 'index.js' }], {
    'index.js': MODULE,
  });
  const persistence = refTo<PersistenceProtocol>({ ask: { positions } });
  const pool = new PlanningPool({
    threads: 1,
    timeoutMs: 60_000,
    memory: planningMemory(4 * 1024 ** 3),
    pluginPaths: [dir],
    keyConverter: 'StringConverter',
    valueConverter: 'StringConverter',
    headerConverter: 'SimpleHeaderConverter',
    onPositions: (request) => {
      servePositions(request, persistence);
    },
    onStray: () => undefined,
  });
  t.after(() => pool.close());
  return pool.run({ kind: 'plan', name: 'c', config: { name: 'c', 'connector.class': 'Reads', topic: 't' } });
}

test('a plan reads a hundred thousand positions, in messages that are bounded', async (t) => {
  const all = Array.from({ length: COUNT }, (_, at) => ({
    partition: { table: `public.table_${at}`, kind: at % 2 === 0 ? 'even' : 'odd' },
    position: { lsn: at, snapshot: 'done' },
  }));
  const pages = new PositionPages((connector) => (connector === 'c' ? all : []));
  const sizes: number[] = [];
  const { configs } = await planWith(t, ({ connector, match, cursor }) => {
    const page = cursor === null ? pages.begin(connector, match) : pages.next(cursor);
    sizes.push(page.positions.length);
    return page;
  });
  assert.deepEqual(configs, [
    { all: String(COUNT), some: String(COUNT / 2), last: JSON.stringify(all.at(-1)) },
  ]);
  assert.ok(Math.max(...sizes) <= 2000, `a message of ${Math.max(...sizes)} positions`);
});

test('where positions cannot be read the plan fails with why, and is not told that there are none', async (t) => {
  const planned = planWith(t, () => {
    throw new LogError('LOG_UNAVAILABLE', 'the log is away');
  });
  await assert.rejects(planned, { code: 'LOG_UNAVAILABLE', message: /the log is away/ });
});
