import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

const SOON = { 'task.passivate.after.ms': '200' };

interface TreeNode {
  readonly id: string;
  readonly state: string;
  readonly threadId?: number;
  readonly incarnation?: number;
  readonly children?: readonly TreeNode[];
}

async function startNode(t: TestContext): Promise<NodeProcess> {
  const dir = temporaryFolder();
  const module = '../support/resting-source.js';
  const pluginPaths = pluginPackage(dir, { class: 'RestingSource', type: 'source', module });
  const node = await NodeProcess.create(dir, { ...SOON, pluginPaths });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  return node;
}

const sourceOf = (node: NodeProcess, name: string, config: Record<string, string> = {}) => {
  writeFileSync(join(node.dir, `${name}.txt`), '', { flag: 'a' });
  const file = join(node.dir, `${name}.txt`);
  return node.run(name, { 'connector.class': 'FileSourceConnector', file, topic: name, ...config });
};

const sinkOf = (node: NodeProcess, name: string, config: Record<string, string>) =>
  node.run(name, {
    'connector.class': 'FileSinkConnector',
    file: join(node.dir, `${name}.out`),
    'offset.flush.interval.ms': '100',
    ...config,
  });

const append = (node: NodeProcess, source: string, line: string): void => {
  appendFileSync(join(node.dir, `${source}.txt`), `${line}\n`);
};

const outputOf = (node: NodeProcess, sink: string): string =>
  contentOf(join(node.dir, `${sink}.out`))?.toString() ?? '';

async function taskOf(node: NodeProcess, name: string): Promise<Record<string, unknown>> {
  const { body } = await node.request('GET', `/connectors/${name}/status`);
  return (body as { tasks: Record<string, unknown>[] }).tasks[0] ?? {};
}

const untilPassive = (node: NodeProcess, name: string) =>
  until(`${name} is passive`, async () => {
    const task = await taskOf(node, name);
    return task['passive'] !== undefined && task;
  });

async function threadOf(node: NodeProcess, id: string): Promise<TreeNode | undefined> {
  const find = (each: TreeNode): TreeNode | undefined =>
    each.id === id ? each : each.children?.map(find).find((found) => found !== undefined);
  return find((await node.request('GET', '/supervisor/tree')).body as TreeNode);
}

test('a sink without records gives up its thread, runs on in its status, and the next record wakes it', async (t) => {
  const node = await startNode(t);
  await sourceOf(node, 'a');
  await sinkOf(node, 'out', { topics: 'a' });
  let expected = '';
  for (const line of ['one', 'two', 'three']) {
    const task = await untilPassive(node, 'out');
    assert.equal(task['state'], 'RUNNING');
    assert.equal((await threadOf(node, 'out/0'))?.state, 'passive');
    assert.equal((await threadOf(node, 'out/0'))?.threadId, undefined);
    append(node, 'a', line);
    expected += `${line}\n`;
    await until('it arrives', () => outputOf(node, 'out') === expected);
  }
  // A source keeps its own.
  assert.equal((await threadOf(node, 'a/0'))?.incarnation, 1);
});

test('a passive sink is paused and resumed without a thread, and has what came meanwhile after that', async (t) => {
  const node = await startNode(t);
  await sourceOf(node, 'a');
  await sinkOf(node, 'out', { topics: 'a' });
  await sinkOf(node, 'other', { topics: 'a' });
  await untilPassive(node, 'out');
  const { incarnation } = (await threadOf(node, 'out/0')) ?? {};
  await node.request('PUT', '/connectors/out/pause');
  await node.state('out', 'PAUSED');
  append(node, 'a', 'one');
  await until('the other sink has it', () => outputOf(node, 'other') === 'one\n');
  await untilPassive(node, 'other');
  assert.equal(outputOf(node, 'out'), '');
  assert.deepEqual(
    [(await threadOf(node, 'out/0'))?.state, (await threadOf(node, 'out/0'))?.incarnation],
    ['passive', incarnation],
  );
  await node.request('PUT', '/connectors/out/resume');
  await until('it arrives', () => outputOf(node, 'out') === 'one\n');
});

/** Once it has begun to rest later than then. */
async function restsSince(node: NodeProcess, name: string, before: number): Promise<number> {
  let since = 0;
  await until('it rests anew', async () => {
    const { passive } = await taskOf(node, name);
    since = (passive as { since: number } | undefined)?.since ?? 0;
    return since > before;
  });
  return since;
}

test('a passive sink takes up a new topic, another config, and a restart', async (t) => {
  const node = await startNode(t);
  await sourceOf(node, 'a1');
  // Its first record makes the topic a1, which is looked for once a minute by default.
  const config = { 'topics.regex': 'a\\d', 'topics.refresh.ms': '100' };
  await sinkOf(node, 'out', config);
  await untilPassive(node, 'out');
  await sourceOf(node, 'a2');
  append(node, 'a2', 'one');
  await until('a new topic is read', () => outputOf(node, 'out') === 'one\n');
  let since = await restsSince(node, 'out', 0);
  await sinkOf(node, 'out', { ...config, file: join(node.dir, 'second.out') });
  // What comes before the node has seen the change goes to the file of before.
  since = await restsSince(node, 'out', since);
  append(node, 'a1', 'two');
  await until('the new file has it', () => outputOf(node, 'second') === 'two\n');
  since = await restsSince(node, 'out', since);
  await node.request('POST', '/connectors/out/tasks/0/restart');
  await restsSince(node, 'out', since);
});

test('a node that is killed, or stopped in order, with passive sinks has them all again', async (t) => {
  const node = await startNode(t);
  await sourceOf(node, 'a');
  await sinkOf(node, 'out', { topics: 'a' });
  await untilPassive(node, 'out');
  await node.kill();
  append(node, 'a', 'one');
  await node.start();
  await until('it arrives', () => outputOf(node, 'out') === 'one\n');
  await untilPassive(node, 'out');
  assert.equal(await node.stop(), 0);
  append(node, 'a', 'two');
  await node.start();
  await until('it arrives', () => outputOf(node, 'out') === 'one\ntwo\n');
});

test('a source that says when it wants to be called next rests until then, or until a signal', async (t) => {
  const node = await startNode(t);
  const lines = (name: string): readonly string[] => outputOf(node, name).split('\n').slice(0, -1);
  await sinkOf(node, 'ticked', { topics: 'ticks', 'task.passivate.after.ms': '0' });
  await sinkOf(node, 'rung', { topics: 'bells', 'task.passivate.after.ms': '0' });
  const source = { 'connector.class': 'RestingSource' };
  await node.run('ticks', { ...source, topic: 'ticks', 'rest.ms': '700' });
  await node.run('bells', { ...source, topic: 'bells' });
  const task = await untilPassive(node, 'ticks');
  assert.ok('until' in (task['passive'] as object));
  await until('its time has come twice more', () => lines('ticked').length >= 3);
  assert.deepEqual(lines('ticked').slice(0, 3), ['1', '2', '3']);
  for (const number of ['1', '2', '3']) {
    await until(
      'the bell has rung',
      () =>
        lines('rung').join() === lines('rung').slice(0, Number(number)).join() &&
        lines('rung').at(-1) === number,
    );
    assert.ok(!('until' in ((await untilPassive(node, 'bells'))['passive'] as object)));
    const { status, body } = await node.request('POST', '/connectors/bells/signals?timeout=20000', {
      type: 'ring',
      to: 'tasks',
    });
    assert.equal(status, 200, JSON.stringify(body));
  }
});

test('with 0 for its connector a sink keeps its thread', async (t) => {
  const node = await startNode(t);
  await sourceOf(node, 'a');
  await sinkOf(node, 'kept', { topics: 'a', 'task.passivate.after.ms': '0' });
  await sinkOf(node, 'out', { topics: 'a' });
  await untilPassive(node, 'out');
  append(node, 'a', 'one');
  await until('both have it', () => outputOf(node, 'kept') + outputOf(node, 'out') === 'one\none\n');
  await untilPassive(node, 'out');
  assert.equal((await threadOf(node, 'kept/0'))?.incarnation, 1);
  assert.equal((await taskOf(node, 'kept'))['passive'], undefined);
});
