import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';
import { writePackage } from '../../unit/plugins/packages.js';

const SNAPSHOT = `
  import { existsSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  export default { type: 'source', plugin: {
    kind: 'source', version: '1', config: [{ name: 'end', type: 'STRING', importance: 'HIGH', documentation: 'd' }],
    taskConfigs: (context, config, raw) => [raw],
    createTask: () => ({
      start(context, config) {
        this.context = context;
        this.end = config.string('end');
        context.progress({ text: 'snapshot of public.orders', percent: 12.5 });
      },
      async poll() {
        if (existsSync(this.end)) this.context.progress(null);
        await sleep(20, undefined, { signal: this.context.signal }).catch(() => undefined);
        return [];
      },
      stop() {},
    }),
  } };`;

test('how far a long work is stands in the status of its task until it is over', async (t) => {
  const dir = temporaryFolder();
  const end = join(dir, 'end');
  writePackage(join(dir, 'p'), [{ class: 'Snapshot', type: 'source', version: '1', module: 'index.js' }], {
    'index.js': SNAPSHOT,
  });
  const node = await NodeProcess.create(dir, { pluginPaths: join(dir, 'p') });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const before = Date.now();
  await node.run('s', { 'connector.class': 'Snapshot', topic: 't', end });
  const progress = async (): Promise<Record<string, unknown> | undefined> => {
    const { body } = await node.request('GET', '/connectors/s/status');
    return (body as { tasks: { progress?: Record<string, unknown> }[] }).tasks[0]?.progress;
  };
  const shown = await until('the status has it', progress);
  const { since, at, ...said } = shown;
  assert.deepEqual(said, { text: 'snapshot of public.orders', percent: 12.5 });
  assert.ok(Number(since) >= before && since === at);
  writeFileSync(end, '');
  await until('it is over', async () => (await progress()) === undefined);
});
