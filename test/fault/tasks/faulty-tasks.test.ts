import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface TaskStatus {
  readonly state: string;
  readonly trace?: string;
  readonly stalled?: { readonly since: number; readonly call: string };
}

const dir = temporaryFolder();
const input = join(dir, 'in.txt');
const output = join(dir, 'out.txt');
let node: NodeProcess;
let lines = 0;

/** Healthy connectors beside the faulty one: their records must keep flowing, and REST must answer. */
async function othersGoOn(): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    appendFileSync(input, `line ${(lines += 1)}\n`);
    const size = contentOf(input)?.length;
    await until('a record passes beside the faulty task', () => contentOf(output)?.length === size);
    const { status } = await node.request('GET', '/health');
    assert.equal(status, 200);
  }
}

async function taskStatus(name: string): Promise<TaskStatus> {
  const { status, body } = await node.request('GET', `/connectors/${name}/tasks/0/status`);
  assert.equal(status, 200, JSON.stringify(body));
  return body as TaskStatus;
}

before(async () => {
  writeFileSync(input, '');
  const plugins = pluginPackage(dir, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' });
  node = await NodeProcess.create(dir, {
    pluginPaths: plugins,
    'task.restart.max': '2',
    'task.restart.backoff.min.ms': '20',
    'task.restart.backoff.max.ms': '50',
    'task.stall.timeout.ms': '300',
    'task.stop.timeout.ms': '1000',
    'actor.beat.timeout.ms': '5000',
    'task.heap.max.mb': '64',
    'planning.timeout.ms': '5000',
  });
  await node.start();
  await node.run('healthy-in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'healthy' });
  await node.run('healthy-out', {
    'connector.class': 'FileSinkConnector',
    topics: 'healthy',
    file: output,
    'base.dir': dir,
  });
});

after(async () => {
  await node.kill();
  removeFolder(dir);
});

/** What each fault's status names in the end, after the restarts it is allowed. */
const FAULTS: readonly (readonly [fault: string, cause: RegExp])[] = [
  ['start', /the source system says no/],
  ['throw', /something broke in the plugin/],
  ['throw-much', /^C+.* characters\): m+… \(cut, it had 2000000 characters\)/],
  ['reject-elsewhere', /nobody awaits this/],
  ['exit', /PROCESS_EXIT/],
  ['spin', /HUNG/],
  ['heap', /HEAP_(SOFT|HARD)_LIMIT/],
  ['map', /HUNG|HEAP_HARD_LIMIT|Map maximum size exceeded/],
];

for (const [fault, cause] of FAULTS) {
  test(`a task with the fault "${fault}" ends FAILED with its cause while others go on`, async () => {
    const name = `faulty-${fault}`;
    const { status, body } = await node.request('PUT', `/connectors/${name}/config`, {
      'connector.class': 'FaultySource',
      topic: 'faulty',
      fault,
    });
    assert.equal(status, 201, JSON.stringify(body));
    await othersGoOn();
    const failed = await until(
      `${name} is FAILED`,
      async () => {
        const found = await taskStatus(name);
        return found.state === 'FAILED' ? found : null;
      },
      120_000,
    );
    assert.match(failed.trace ?? '', cause);
    await othersGoOn();
    const { status: deleted } = await node.request('DELETE', `/connectors/${name}`);
    assert.equal(deleted, 204);
  });
}

test('a task that never returns from start is FAILED after the restarts it is allowed', async (t) => {
  const own = temporaryFolder();
  const other = await NodeProcess.create(own, {
    pluginPaths: pluginPackage(own, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' }),
    'task.restart.max': '1',
    'task.restart.backoff.min.ms': '20',
    'task.start.timeout.ms': '2000',
  });
  t.after(async () => {
    await other.kill();
    removeFolder(own);
  });
  await other.start();
  await other.request('PUT', '/connectors/hung/config', {
    'connector.class': 'FaultySource',
    topic: 'faulty',
    fault: 'hang-in-start',
  });
  const trace = await until('it is FAILED', async () => {
    const { body } = await other.request('GET', '/connectors/hung/tasks/0/status');
    const { state, trace: cause } = body as TaskStatus;
    return state === 'FAILED' ? (cause ?? 'no cause') : null;
  });
  assert.match(trace, /START_TIMEOUT/);
});

for (const [fault, cause] of [
  ['fatal', /FATAL.*somebody has to do something/s],
  ['bad-data', /BAD_RECORD.*can never be read/s],
] as const) {
  test(`a task with the fault "${fault}", which no other start would mend, is FAILED without another`, async () => {
    const name = `final-${fault}`;
    await node.request('PUT', `/connectors/${name}/config`, {
      'connector.class': 'FaultySource',
      topic: 'faulty',
      fault,
    });
    const failed = await until(`${name} is FAILED`, async () => {
      const found = await taskStatus(name);
      return found.state === 'FAILED' ? found : null;
    });
    assert.match(failed.trace ?? '', cause);
    const said = await until('the log says so', () => {
      const lines = node.output.split('\n').filter((line) => line.includes(`"${name}/0"`));
      return lines.some((line) => line.includes('it stays down')) ? lines : null;
    });
    assert.ok(said.every((line) => !line.includes('it starts again')));
    assert.equal((await node.request('DELETE', `/connectors/${name}`)).status, 204);
  });
}

test('a task that never returns from poll is shown as stalled, and a stop ends it', async () => {
  await node.request('PUT', '/connectors/stalled/config', {
    'connector.class': 'FaultySource',
    topic: 'faulty',
    fault: 'hang',
  });
  const stalled = await until('it is shown as stalled', async () => (await taskStatus('stalled')).stalled);
  assert.equal(stalled.call, 'poll');
  await othersGoOn();
  assert.equal((await node.request('DELETE', '/connectors/stalled')).status, 204);
  await until('its thread is gone', async () => {
    const { body } = await node.request('GET', '/supervisor/tree');
    return !JSON.stringify(body).includes('stalled/0');
  });
});

test('a task that never returns from stop is ended by force', async () => {
  await node.run('unstoppable', {
    'connector.class': 'FaultySource',
    topic: 'faulty',
    fault: 'hang-in-stop',
  });
  assert.equal((await node.request('PUT', '/connectors/unstoppable/stop')).status, 204);
  await until('its thread is gone', async () => {
    const { body } = await node.request('GET', '/supervisor/tree');
    return !JSON.stringify(body).includes('unstoppable/0');
  });
  await othersGoOn();
});

for (const [plan, code] of [
  ['throw', /cannot plan/],
  ['hang', /PLANNING_TIMEOUT/],
  ['spin', /PLANNING_TIMEOUT/],
] as const) {
  test(`a connector whose planning does "${plan}" is FAILED with the cause, and costs nobody else anything`, async () => {
    const name = `planless-${plan}`;
    await node.request('PUT', `/connectors/${name}/config`, {
      'connector.class': 'FaultySource',
      topic: 'faulty',
      plan,
    });
    await othersGoOn();
    const text = await until('the connector is FAILED', async () => {
      const { body } = await node.request('GET', `/connectors/${name}/status`);
      const found = JSON.stringify(body);
      return found.includes('FAILED') ? found : null;
    });
    assert.match(text, code);
    assert.equal((await node.request('DELETE', `/connectors/${name}`)).status, 204);
  });
}
