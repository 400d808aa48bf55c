/** Signals over REST, in real nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../../support/cluster.js';
import { START_MS, type NodeProcess, type Reply } from '../../support/node-process.js';
import { SignalBench, signalledPlugin } from '../../support/signalled-plugin.js';
import { until } from '../../support/wait.js';

interface Answer {
  readonly id?: number;
  readonly state: string;
  readonly answer?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly worker_id?: string;
}
interface Signal {
  readonly id: string;
  readonly state: string;
  readonly connector?: Answer;
  readonly tasks: readonly Answer[];
}

const signalIn = ({ body }: Reply): Signal => body as Signal;
const codes = ({ connector, tasks }: Signal): unknown[] =>
  [connector, ...tasks].map((one) => one?.error?.code ?? one?.answer);

function post(node: NodeProcess, body: object, name = 'c', query = '?timeout=20000'): Promise<Reply> {
  return node.request('POST', `/connectors/${name}/signals${query}`, body);
}

async function answered(node: NodeProcess, id: string, name = 'c'): Promise<Signal> {
  return until(
    `signal ${id} is answered`,
    async () => {
      const reply = await node.request('GET', `/connectors/${name}/signals/${id}`);
      if (signalIn(reply).state === 'ANSWERED') return signalIn(reply);
      throw new Error(JSON.stringify(reply.body));
    },
    START_MS,
  );
}

test('a signal reaches the planning side and all tasks, also of a paused sink, and REST tells what each has done', async (t) => {
  const bench = new SignalBench(t);
  const node = await bench.node();
  await node.run('c', bench.config());
  const sent = await post(node, { type: 'echo', data: { n: 1.5, list: [null, true] }, id: 'first' });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const data = { n: 1.5, list: [null, true] };
  assert.deepEqual(codes(signalIn(sent)), [{ planner: data }, { part: 'a', data }, { part: 'b', data }]);
  assert.equal(signalIn(sent).tasks[0]?.worker_id, 'DEFAULT_WORKER_1');
  assert.deepEqual((await node.request('GET', '/connectors/c/signals/first')).body, sent.body);
  const one = await post(node, { type: 'nothing', task: 1 });
  assert.deepEqual(codes(signalIn(one)), [undefined, null]);
  assert.equal(signalIn(one).tasks[0]?.id, 1);
  const repeated = await post(node, { type: 'echo', data, id: 'first' });
  assert.deepEqual(repeated.body, sent.body, 'sent again it is not done again');
  assert.deepEqual(bench.said('c/0'), ['start', 'first']);
  const list = (await node.request('GET', '/connectors/c/signals')).body as Signal[];
  assert.deepEqual(
    list.map(({ id }) => id),
    ['first', signalIn(one).id],
  );

  await node.run('s', { ...bench.config({ 'connector.class': 'SignalledSink' }), topics: 't', topic: '' });
  const [running] = signalIn(await post(node, { type: 'echo', to: 'tasks' }, 's')).tasks;
  assert.deepEqual(running?.answer, { part: 'a', data: null });
  for (const name of ['s', 'c']) {
    await node.request('PUT', `/connectors/${name}/pause`);
    await node.state(name, 'PAUSED');
    assert.deepEqual(codes(signalIn(await post(node, { type: 'echo', data: 2 }, name))), [
      { planner: 2 },
      { part: 'a', data: 2 },
      { part: 'b', data: 2 },
    ]);
  }
  await node.request('PUT', '/connectors/c/stop');
  const refused = await post(node, { type: 'echo' });
  assert.equal(refused.status, 409);
  assert.match(JSON.stringify(refused.body), /"code":"CONNECTOR_STOPPED"/);
  await node.request('DELETE', '/connectors/c');
  assert.equal((await post(node, { type: 'echo' })).status, 404);
  assert.equal((await node.request('GET', '/connectors/c/signals/first')).status, 404);
});

test('what plugins do wrong in a signal is its answer, quotes no password, and stops nothing', async (t) => {
  const bench = new SignalBench(t);
  bench.wants(['a']);
  const node = await bench.node({ 'task.stall.timeout.ms': '500' });
  await node.run('c', bench.config());
  const told = async (type: string): Promise<unknown[]> => codes(signalIn(await post(node, { type })));
  assert.deepEqual(await told('what'), ['UNKNOWN_SIGNAL', 'UNKNOWN_SIGNAL']);
  assert.deepEqual(await told('nonsense'), ['PLUGIN_CONTRACT', 'PLUGIN_CONTRACT']);
  assert.deepEqual((await told('large'))[1], 'ANSWER_TOO_LARGE');
  const thrown = await post(node, { type: 'throw' });
  assert.deepEqual(codes(signalIn(thrown)), ['NOT_TODAY', 'NOT_TODAY']);
  assert.doesNotMatch(JSON.stringify(thrown.body), /hunter/);
  assert.deepEqual(await told('tell'), ['[hidden]', { pin: ['[hidden]'] }]);
  assert.deepEqual(bench.said('c/0').filter((word) => word === 'start').length, 1, 'the task has run on');
  // One that never returns: the task can be given nothing else, and starts again, without the signal.
  assert.deepEqual(await told('hang'), ['PLANNING_TIMEOUT', 'SIGNAL_TIMEOUT']);
  await until(
    'it was started again',
    () => bench.said('c/0').filter((word) => word === 'start').length === 2,
    START_MS,
  );
  await node.state('c', 'RUNNING');
  assert.deepEqual(await told('echo'), [{ planner: null }, { part: 'a', data: null }]);

  await node.run('deaf', bench.config({ 'connector.class': 'DeafSource' }));
  assert.deepEqual(codes(signalIn(await post(node, { type: 'echo' }, 'deaf'))), [
    'SIGNAL_NOT_SUPPORTED',
    'SIGNAL_NOT_SUPPORTED',
  ]);
  for (const [body, status] of [
    [{ type: 'echo', task: 1 }, 404],
    [{ type: 'echo', task: -1 }, 400],
    [{ type: 'echo', to: 'nobody' }, 400],
    [{ data: 1 }, 400],
    [{ type: 'echo', data: 'x'.repeat(20_000) }, 400],
    [{ type: 'echo', id: 'a b' }, 400],
    [{ type: 'echo', more: 1 }, 400],
  ] as const)
    assert.equal((await post(node, body)).status, status, JSON.stringify(body).slice(0, 100));
  assert.equal((await post(node, { type: 'echo' }, 'c', '?timeout=soon')).status, 400);
});

test('a task that ends before its answer is given the signal again; a FAILED one is answered for', async (t) => {
  const bench = new SignalBench(t);
  const node = await bench.node({ 'task.restart.max': '1' });
  await node.run('c', bench.config());
  const survived = await post(node, { type: 'exit', id: 'twice', task: 0 });
  assert.deepEqual(codes(signalIn(survived)), [undefined, 'survived']);
  assert.deepEqual(bench.said('c/0'), ['start', 'twice', 'start', 'twice']);

  // It ends, is started again, ends again, and is FAILED: then the signal is not waiting for its next start.
  await node.run('f', bench.config());
  const failed = await post(node, { type: 'die', id: 'deadly', task: 0 }, 'f');
  assert.deepEqual(codes(signalIn(failed)), [undefined, 'TASK_FAILED']);
  assert.deepEqual(bench.said('f/0'), ['start', 'deadly', 'start', 'deadly']);
  const next = await post(node, { type: 'echo' }, 'f');
  assert.deepEqual(codes(signalIn(next)), [{ planner: null }, 'TASK_FAILED', { part: 'b', data: null }]);
  // The restart stands before the signal in the log.
  await node.request('POST', '/connectors/f/tasks/0/restart');
  const after = await post(node, { type: 'echo', task: 0 }, 'f');
  assert.deepEqual(codes(signalIn(after)), [undefined, { part: 'a', data: null }]);
});

test('a signal outlives its nodes: who takes over is given it, and any node tells of it', async (t) => {
  const bench = new SignalBench(t);
  const cluster = new Cluster({ pluginPaths: signalledPlugin(bench.dir) });
  t.after(() => cluster.destroy());
  await cluster.start('n1', 'n2');
  bench.wants(['a']);
  await cluster.put('n1', 'c', bench.config());
  await cluster.node('n1').state('c', 'RUNNING');
  const owner = (await cluster.status('n1', 'c')).tasks[0]?.worker_id ?? '';
  const other = owner === 'n1' ? 'n2' : 'n1';
  // By way of the node that does not run it.
  const through = await post(cluster.node(other), { type: 'echo', to: 'tasks' });
  assert.equal(signalIn(through).tasks[0]?.worker_id, owner, JSON.stringify(through.body));
  // The node that runs it, and that has answered 202, dies before the answer.
  const sent = await post(cluster.node(owner), { type: 'lose', id: 'orphan', task: 0 }, 'c', '?timeout=0');
  assert.equal(sent.status, 202);
  assert.equal(signalIn(sent).state, 'WAITING');
  await until('the task has it', () => bench.said('c/0').includes('orphan'), START_MS);
  await cluster.node(owner).kill();
  const answer = await answered(cluster.node(other), 'orphan');
  assert.equal(answer.tasks[0]?.answer, 'survived');
  assert.equal(answer.tasks[0].worker_id, other);
  assert.deepEqual(bench.said('c/0').filter((word) => word === 'orphan').length, 2, 'with the same id');
});
