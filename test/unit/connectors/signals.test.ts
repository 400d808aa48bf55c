/** What becomes of signals in the state that all nodes hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configMachine,
  type ConfigEntry,
  type ConfigResult,
} from '#troupe/core/connectors/config-machine.js';
import {
  isAnswered,
  MAX_SIGNALS_OF_CONNECTOR,
  pendingSignals,
  signalOf,
  signalsOf,
  type SignalTarget,
} from '#troupe/core/connectors/signals.js';

class Configs {
  state = configMachine.initial();
  #offset = 0;

  constructor(tasks = 2) {
    this.say({ type: 'CONNECTOR', name: 'c', config: {} });
    this.plan(tasks);
  }

  say(entry: ConfigEntry): ConfigResult {
    const meta = { offset: this.#offset++, timestamp: 7, writer: { node: 'n', incarnation: 'i' } };
    assert.deepEqual(configMachine.decode(JSON.parse(JSON.stringify(entry))), entry, 'it can be read');
    return configMachine.apply(this.state, entry, meta).result;
  }

  plan(tasks: number): void {
    const configs = Array.from({ length: tasks }, (_, task) => ({ task: String(task) }));
    this.say({ type: 'TASKS', name: 'c', connectorVersion: 0, configs });
  }

  send(id: string, to: SignalTarget = 'all', data: string | null = null): ConfigResult {
    return this.say({ type: 'SIGNAL', name: 'c', id, signal: { type: 't', data }, to });
  }

  answer(id: string, unit: string, said: string): ConfigResult {
    return this.say({ type: 'ANSWER', name: 'c', id, unit, answer: { ok: true, answer: said, node: 'n' } });
  }

  /** What each unit has said, or its code. */
  said(id: string): Record<string, unknown> {
    const answers = signalOf(this.state.signals, 'c', id)?.answers ?? new Map<string, never>();
    return Object.fromEntries([...answers].map(([unit, one]) => [unit, one.ok ? one.answer : one.code]));
  }

  pending(): Record<string, readonly string[]> {
    return Object.fromEntries(pendingSignals(this.state.signals).map(({ id, units }) => [id, units]));
  }

  /** A node that begins from a snapshot. */
  reread(): void {
    const items = JSON.parse(JSON.stringify([...configMachine.encodeSnapshot(this.state)])) as unknown[];
    const read = configMachine.decodeSnapshot(items);
    assert.ok(read !== null);
    assert.equal(configMachine.digest(read), configMachine.digest(this.state));
    assert.deepEqual(read.signals, this.state.signals);
    this.state = read;
  }
}

test('a signal waits for the planning side and all tasks, and the first answer of each counts', () => {
  const configs = new Configs();
  configs.send('s');
  assert.deepEqual(configs.pending(), { s: ['c', 'c/0', 'c/1'] });
  configs.answer('s', 'c/1', 'one');
  configs.answer('s', 'c/1', 'again, of a thread that was thought dead');
  configs.reread();
  assert.deepEqual(configs.pending(), { s: ['c', 'c/0'] });
  configs.answer('s', 'c', 'plan');
  configs.answer('s', 'c/0', 'zero');
  assert.deepEqual(configs.pending(), {});
  assert.deepEqual(configs.said('s'), { c: 'plan', 'c/0': 'zero', 'c/1': 'one' });
  configs.reread();
  assert.deepEqual(configs.said('s'), { c: 'plan', 'c/0': 'zero', 'c/1': 'one' });
});

test('a signal is for whom it was sent, and a task that is not there is named', () => {
  const configs = new Configs();
  configs.send('a', 'connector');
  configs.send('b', 'tasks');
  configs.send('d', 1);
  assert.deepEqual(configs.pending(), { a: ['c'], b: ['c/0', 'c/1'], d: ['c/1'] });
  const refused = configs.send('e', 2);
  assert.ok(!refused.ok && refused.code === 'TASK_NOT_FOUND' && /no task 2/.test(refused.message));
  const stranger = configs.answer('d', 'c/0', 'nobody asked');
  assert.ok(!stranger.ok && stranger.code === 'SIGNAL_NOT_FOUND');
});

test('a signal sent again is the same one; another one of its id is refused', () => {
  const configs = new Configs();
  configs.send('s', 'all', 'x');
  configs.answer('s', 'c', 'done');
  const again = configs.send('s', 'all', 'x');
  assert.ok(again.ok && again.signal?.answers.size === 1);
  const other = configs.send('s', 'all', 'y');
  assert.ok(!other.ok && other.code === 'SIGNAL_EXISTS');
});

test('whoever will not run any more is answered for', () => {
  const configs = new Configs();
  configs.send('s');
  configs.plan(1);
  assert.deepEqual(configs.said('s'), { 'c/1': 'TASK_GONE' });
  configs.say({ type: 'TARGET', name: 'c', state: 'PAUSED' });
  assert.deepEqual(configs.pending(), { s: ['c', 'c/0'] }, 'a pause keeps them');
  configs.say({ type: 'TARGET', name: 'c', state: 'STOPPED' });
  assert.deepEqual(configs.said('s'), {
    c: 'CONNECTOR_STOPPED',
    'c/0': 'CONNECTOR_STOPPED',
    'c/1': 'TASK_GONE',
  });
  const refused = configs.send('t');
  assert.ok(!refused.ok && refused.code === 'CONNECTOR_STOPPED');
});

test('signals go with their connector', () => {
  const configs = new Configs();
  configs.send('s');
  configs.say({ type: 'DELETE', name: 'c' });
  assert.equal(configs.state.signals.size, 0);
  const late = configs.answer('s', 'c/0', 'late');
  assert.ok(!late.ok && late.code === 'CONNECTOR_NOT_FOUND');
});

test('the oldest answered signals make room, and those that wait do not', () => {
  const configs = new Configs();
  configs.send('waits', 'connector');
  for (let i = 0; i < 2 * MAX_SIGNALS_OF_CONNECTOR; i += 1) {
    configs.send(`s${i}`, 'connector');
    configs.answer(`s${i}`, 'c', 'done');
  }
  const kept = signalsOf(configs.state.signals, 'c');
  assert.equal(kept.length, MAX_SIGNALS_OF_CONNECTOR);
  assert.ok(kept[0] !== undefined && kept[0].id === 'waits' && !isAnswered(kept[0]));
  for (let i = 0; i < MAX_SIGNALS_OF_CONNECTOR - 1; i += 1) assert.ok(configs.send(`w${i}`).ok);
  const refused = configs.send('one-too-many');
  assert.ok(!refused.ok && refused.code === 'TOO_MANY_SIGNALS');
  configs.reread();
});

test('large answers are bounded, whatever number of tasks gives them', () => {
  const configs = new Configs(40);
  configs.send('s', 'tasks');
  for (let task = 0; task < 40; task += 1) configs.answer('s', `c/${task}`, 'x'.repeat(16_000));
  const said = Object.values(configs.said('s'));
  assert.equal(said.length, 40);
  assert.equal(said.at(-1), 'ANSWERS_TOO_LARGE');
  assert.ok(JSON.stringify(said).length < 300_000);
  configs.reread();
  for (let i = 0; i < 45; i += 1) {
    configs.say({ type: 'CONNECTOR', name: `c${i}`, config: {} });
    const id = `big${i}`;
    for (const name of ['c', `c${i}`]) {
      configs.say({
        type: 'SIGNAL',
        name,
        id,
        signal: { type: 't', data: 'y'.repeat(200_000) },
        to: 'connector',
      });
      const answer = { ok: true, answer: null, node: 'n' } as const;
      configs.say({ type: 'ANSWER', name, id, unit: name, answer });
    }
  }
  const chars = JSON.stringify([...configMachine.encodeSnapshot(configs.state)]).length;
  assert.ok(chars < 9_000_000, `${chars} characters are kept`);
});

test('a snapshot and entries of before signals are read as they were', () => {
  const connector = {
    name: 'c',
    config: {},
    targetState: 'RUNNING',
    version: 0,
    restart: null,
    tasks: null,
  };
  const tasks = { connectorVersion: 0, generation: 1, configs: [{}] };
  const state = configMachine.decodeSnapshot([
    { connector },
    { tasksOf: 'c', tasks },
    { deleted: 'd', offset: 3 },
  ]);
  assert.equal(state?.signals.size, 0);
  assert.deepEqual(state.connectors.get('c'), { ...connector, tasks });
  const before = { type: 'TASKS', name: 'c', connectorVersion: 0, configs: [{}] };
  assert.deepEqual(configMachine.decode(before), before);
});

test('a request for a new plan stands until a plan was made that had seen it', () => {
  const configs = new Configs();
  const entry = () => configs.state.connectors.get('c');
  const { tasks } = entry() ?? {};
  configs.say({ type: 'REPLAN', name: 'c' });
  const first = entry()?.replans?.asked ?? 0;
  const plan = {
    type: 'TASKS',
    name: 'c',
    connectorVersion: 0,
    configs: [{ task: '0' }, { task: '1' }],
  } as const;
  configs.say({ type: 'REPLAN', name: 'c' });
  configs.say({ ...plan, asked: first });
  const { asked = 0, planned = 0 } = entry()?.replans ?? {};
  assert.ok(planned === first && asked > planned, 'what came while it was planned is still to be done');
  configs.say({ ...plan, asked });
  configs.say({ ...plan, asked: first });
  configs.reread();
  assert.deepEqual(entry()?.replans, { asked, planned: asked });
  assert.equal(entry()?.tasks?.generation, tasks?.generation, 'the same tasks are not started again');
  configs.send('s', 'connector');
  const answer = { ok: true, answer: null, node: 'n' } as const;
  configs.say({ type: 'ANSWER', name: 'c', id: 's', unit: 'c', answer, replan: true });
  assert.ok((entry()?.replans?.asked ?? 0) > asked, 'the answer and the request are one entry');
});
