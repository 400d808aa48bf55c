/** Three real processes on one store. The tests build on each other, in this order. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Cluster, counts, even } from '../../support/cluster.js';
import { readJournal, unstopped } from '../../support/journal.js';
import { overlaps } from '../../support/overlaps.js';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

const TASKS = 9;
const bootFolder = join(temporaryFolder(), 'connectors');
// A task that refuses to stop has to be seen in the plan within this time.
const cluster = new Cluster({ 'task.stop.timeout.ms': '10000', connectorsDir: bootFolder });

interface NodeInfo {
  readonly id: string;
  readonly state: string;
  readonly drained: boolean;
  readonly load: number;
  readonly heartbeatAgeMs: number | null;
  readonly restUrl: string | null;
}

interface Plan {
  readonly moves: readonly {
    connector: string;
    task: number | null;
    from: string | null;
    to: string | null;
  }[];
  readonly reason: string | null;
}

async function send(id: string, method: string, path: string, status: number): Promise<unknown> {
  const answer = await cluster.node(id).request(method, path);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
}

async function nodesSeenBy(id: string): Promise<readonly NodeInfo[]> {
  return (await send(id, 'GET', '/nodes', 200)) as readonly NodeInfo[];
}

async function planSeenBy(id: string): Promise<Plan> {
  return (await send(id, 'POST', '/rebalance?dryRun=true', 200)) as Plan;
}

/** Waits until the condition, which asserts, holds: what one node says another one may hear a moment later. */
async function holds(what: string, condition: () => Promise<void>): Promise<void> {
  await until(what, async () => {
    await condition();
    return true;
  });
}

function mark(): number {
  return readJournal(cluster.journal).length;
}

/** Tasks whose plugin was started since then: those were interrupted. */
function startedSince(from: number): string[] {
  const acts = readJournal(cluster.journal).slice(from);
  return acts
    .filter(({ what }) => what === 'start')
    .map(({ unit }) => unit)
    .sort();
}

async function allFlow(): Promise<void> {
  const from = mark();
  await until('records of all tasks flow', () => {
    const polls = readJournal(cluster.journal)
      .slice(from)
      .filter(({ what, unit }) => what === 'poll' && unit.startsWith('src/'));
    return new Set(polls.map(({ unit }) => unit)).size === TASKS;
  });
}

function tasksOf(id: string, owners: readonly string[]): string[] {
  return owners.flatMap((owner, task) => (owner === id ? [`src/${task}`] : []));
}

before(async () => {
  mkdirSync(bootFolder);
  const config = cluster.source(1, { journal: join(cluster.dir, 'boot.txt'), topic: 'boot' });
  writeFileSync(join(bootFolder, 'boot.json'), JSON.stringify({ name: 'boot', config }));
  await cluster.start('a', 'b', 'c');
});

after(async () => {
  await cluster.destroy();
  removeFolder(join(bootFolder, '..'));
});

test('a connector of a folder that all nodes have is applied once', async () => {
  await cluster.running('b', 'boot', 1);
  await send('c', 'DELETE', '/connectors/boot', 204);
  await until('its task is gone', async () => (await nodesSeenBy('a')).every(({ load }) => load === 0));
});

test('three nodes are one cluster and share the tasks of a connector evenly', async () => {
  await cluster.put('a', 'src', cluster.source(TASKS));
  assert.deepEqual(counts(await cluster.running('a', 'src', TASKS), cluster.ids), [3, 3, 3]);
  await holds('b sees all of it', async () => {
    const infos = await nodesSeenBy('b');
    assert.deepEqual(
      infos.map(({ id, state, drained, load, restUrl }) => ({ id, state, drained, load, restUrl })),
      cluster.ids.map((id) => {
        const restUrl = `http://127.0.0.1:${cluster.node(id).port}`;
        return { id, state: 'ONLINE', drained: false, load: 3, restUrl };
      }),
    );
    assert.ok(infos.every(({ heartbeatAgeMs }) => heartbeatAgeMs !== null && heartbeatAgeMs < 60_000));
  });
  await holds('c plans no moves', async () => {
    const { moves, reason } = await planSeenBy('c');
    assert.deepEqual(moves, []);
    assert.match(reason ?? '', /^Balanced/);
  });
});

test('any node answers for all, with the right workers', async () => {
  for (const path of [
    '/connectors',
    '/connectors?expand=info&expand=status',
    '/connectors/src/config',
    '/connectors/src/tasks',
    '/connectors/src/status',
    '/connectors/src/tasks/8/status',
    '/getClusterInfo',
    '/getConfigInfo',
    '/getAllocatedInfo',
  ]) {
    await holds(`all nodes answer ${path} alike`, async () => {
      const [first, ...others] = await Promise.all(cluster.ids.map((id) => send(id, 'GET', path, 200)));
      for (const other of others) assert.deepEqual(other, first, path);
    });
  }
  const { tasks } = await cluster.status('b', 'src');
  const told = String(await send('c', 'GET', '/getAllocatedInfo', 200));
  for (const { id, worker_id } of tasks) {
    assert.ok(told.includes(`taskId:src/${id}\nState:RUNNING\nWorkerId:${worker_id}\n`), told);
  }
});

test('pause and resume reach the tasks of all nodes', async () => {
  await send('b', 'PUT', '/connectors/src/pause', 202);
  await cluster.node('c').state('src', 'PAUSED');
  await send('a', 'PUT', '/connectors/src/resume', 202);
  await cluster.node('c').state('src', 'RUNNING');
  await allFlow();
});

test('a restart reaches the node that has the task, once, from whichever node it is asked of', async () => {
  const from = mark();
  const owners = await cluster.running('a', 'src', TASKS);
  for (const task of [0, 4, 8]) {
    const other = cluster.ids.find((id) => id !== owners[task]) ?? '';
    await send(other, 'POST', `/connectors/src/tasks/${task}/restart`, 204);
  }
  await until('the tasks start', () => startedSince(from).length >= 3);
  await cluster.running('b', 'src', TASKS);
  await allFlow();
  assert.deepEqual(startedSince(from), ['src/0', 'src/4', 'src/8']);
});

test('a drained node gives its tasks away, stays so over a restart, and answers all the while', async () => {
  const from = mark();
  const given = tasksOf('c', await cluster.running('c', 'src', TASKS));
  await send('a', 'PUT', '/nodes/c/drain', 202);
  const owners = await cluster.running('c', 'src', TASKS, (all) => !all.includes('c'));
  assert.ok(even(counts(owners, ['a', 'b'])), owners.join());
  await allFlow();
  assert.deepEqual(startedSince(from), given, 'only its own tasks were interrupted');
  assert.equal(await cluster.node('c').stop(), 0);
  await holds('a sees that c has left', async () => {
    assert.deepEqual(
      (await nodesSeenBy('a')).map(({ id, state, drained }) => ({ id, state, drained })),
      [
        { id: 'a', state: 'ONLINE', drained: false },
        { id: 'b', state: 'ONLINE', drained: false },
        { id: 'c', state: 'OFFLINE', drained: true },
      ],
    );
  });
  // As if it were a node that comes for the first time.
  rmSync(join(cluster.node('c').dir, 'store', 'appliedConnectors.json'));
  await cluster.start('c');
  await until('it has looked at its connectors', () => cluster.node('c').output.includes('applied before'));
  await send('c', 'GET', '/connectors/boot', 404);
  assert.deepEqual((await planSeenBy('c')).moves, []);
  await cluster.put('c', 'more', cluster.source(3));
  assert.ok(!(await cluster.running('c', 'more', 3)).includes('c'));
  await send('b', 'DELETE', '/connectors/more', 204);
  await send('b', 'PUT', '/nodes/nobody/drain', 404);
});

test('an undrained node takes its share, and tasks that stay are not interrupted', async () => {
  const from = mark();
  await send('b', 'PUT', '/nodes/c/undrain', 202);
  const owners = await cluster.running('a', 'src', TASKS, (all) => counts(all, ['c'])[0] === 3);
  await allFlow();
  assert.deepEqual(startedSince(from), tasksOf('c', owners));
});

test('a node that leaves politely gives its tasks away, and ends with 0', async () => {
  const from = mark();
  const given = tasksOf('b', await cluster.running('a', 'src', TASKS));
  const stopped = cluster.node('b').stop();
  const owners = await cluster.running('a', 'src', TASKS, (all) => !all.includes('b'));
  assert.ok(even(counts(owners, ['a', 'c'])), owners.join());
  assert.equal(await stopped, 0);
  await cluster.members('a', (ids) => ids.length === 2);
  await allFlow();
  assert.deepEqual(startedSince(from), given);
});

test('a node that comes takes its share, and tasks that stay are not interrupted', async () => {
  const from = mark();
  await cluster.start('b');
  const owners = await cluster.running('c', 'src', TASKS, (all) => counts(all, ['b'])[0] === 3);
  await allFlow();
  assert.deepEqual(startedSince(from), tasksOf('b', owners));
});

test('a task that refuses to stop is shown in the plan, and moves when its thread was ended by force', async () => {
  await cluster.put('a', 'stubborn', cluster.source(1, { 'refuse.stop': 'true' }));
  const [owner = ''] = await cluster.running('a', 'stubborn', 1);
  await send('a', 'PUT', `/nodes/${owner}/drain`, 202);
  const planned = await until('the move is planned', async () => {
    const { moves } = await planSeenBy(cluster.ids.find((id) => id !== owner) ?? '');
    return moves.find(({ connector, task }) => connector === 'stubborn' && task === 0);
  });
  assert.equal(planned.from, owner);
  await cluster.running('a', 'stubborn', 1, ([present]) => present === planned.to);
  await send('a', 'PUT', `/nodes/${owner}/undrain`, 202);
  await send('b', 'DELETE', '/connectors/stubborn', 204);
});

test('a second node of one workerId is refused, as is one in the folder of another', async () => {
  const twin = await NodeProcess.create(cluster.dir, { workerId: 'a', 'store.path': `${cluster.dir}/log` });
  twin.spawn();
  assert.equal(await twin.exited(), 1);
  assert.match(twin.output, /NODE_ALREADY_RUNNING: a node with workerId a \(process \d+\) already runs on/);
  const guest = await NodeProcess.create(cluster.node('a').dir, { workerId: 'guest' });
  guest.spawn();
  assert.equal(await guest.exited(), 1);
  assert.match(guest.output, /NODE_ALREADY_RUNNING: the node a \(process \d+\) already runs on/);
  await cluster.members('b', (ids) => ids.length === 3);
});

test('in all this no task ran twice at once, and each number stands in the topic once', async () => {
  await send('c', 'DELETE', '/connectors/src', 204);
  // What has not stopped is not counted.
  const units = Array.from({ length: TASKS }, (_, task) => `src/${task}`);
  await until('its tasks have stopped', () => unstopped(readJournal(cluster.journal), units).length === 0);
  for (const id of cluster.ids) {
    await until(`${id} knows of no tasks`, async () =>
      (await nodesSeenBy(id)).every(({ load }) => load === 0),
    );
    await send(id, 'GET', '/connectors/src', 404);
  }
  const { lost, duplicates, disordered, records } = await cluster.countAll('a');
  assert.ok(records > 0);
  assert.deepEqual({ lost, duplicates, disordered }, { lost: 0, duplicates: 0, disordered: [] });
  assert.deepEqual(overlaps(readJournal(cluster.journal)), []);
});
