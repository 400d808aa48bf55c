/** Plugins in JavaScript that take signals, well or badly, and plan what a file says. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { writePackage } from '../unit/plugins/packages.js';
import { NodeProcess, removeFolder, temporaryFolder } from './node-process.js';

/**
 * Keys: `plan`, a file with the names of the tasks as JSON, or a text that a plan fails with; `journal`, a file that gets a line
 * for each start and signal; `replan.ms`; `flag`, a file that is made by the first signal that ends the thread, or its node.
 */
const MODULE = `
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
const forever = () => { setInterval(() => undefined, 1000); return new Promise(() => undefined); };
const key = (name) => ({ name, type: 'STRING', importance: 'LOW', documentation: 'as the test says', defaultValue: '' });
const failing = (code, message) => Object.assign(new Error(message), { code });

class Task {
  start(context, config, raw) {
    this.context = context;
    this.raw = raw;
    this.say('start');
  }
  say(what) {
    const { connectorName, taskId } = this.context;
    appendFileSync(this.raw.journal, [connectorName + '/' + taskId, process.pid, what].join(' ') + '\\n');
  }
  async inside(ms) {
    this.busy = true;
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.busy = false;
  }
  async poll() {
    await this.inside(20);
    const made = this.made ?? [];
    this.made = null;
    return made.map((at) => ({
      topic: null, queue: null, keySchema: null, key: null, valueSchema: null, value: at, timestamp: null, headers: [],
      sourcePartition: { ...at, part: this.raw.part }, sourcePosition: { at: 1 },
    }));
  }
  async put(records) { this.say('put' + records.length); await this.inside(20); }
  async flush() { await this.inside(5); }
  stop() { return this.inside(5); }
  async signal({ id, type, data }) {
    this.say(id);
    if (this.busy) throw failing('CONCURRENT', 'called while another call is under way');
    const first = this.raw.flag !== '' && !existsSync(this.raw.flag);
    switch (type) {
      case 'echo': return { part: this.raw.part ?? null, data };
      case 'nothing': return;
      case 'positions': return this.context.positions(data ?? undefined);
      case 'make': this.made = data; return;
      case 'throw': throw failing('NOT_TODAY', 'with ' + this.raw.pin);
      case 'tell': return { pin: [this.raw.pin] };
      case 'nonsense': return { at: new Date(), big: 1n };
      case 'large': return 'x'.repeat(20_000);
      case 'hang': return forever();
      case 'replan': this.context.requestReplan(); return 'asked';
      case 'exit': if (first) { writeFileSync(this.raw.flag, id); process.exit(3); } return 'survived';
      case 'die': process.exit(3);
      case 'lose': if (first) { writeFileSync(this.raw.flag, id); await forever(); } return 'survived';
      default: throw failing('UNKNOWN_SIGNAL', 'no signal is called ' + type);
    }
  }
}
class Deaf extends Task {}
Deaf.prototype.signal = undefined;

const connector = {
  version: '1',
  config: [...['plan', 'journal', 'replan.ms', 'flag', 'deaf', 'part'].map(key), { ...key('pin'), type: 'PASSWORD' }],
  taskConfigs(context, config, raw) {
    appendFileSync(raw.journal, raw.name + ' ' + process.pid + ' plan\\n');
    const plan = JSON.parse(readFileSync(raw.plan, 'utf8'));
    if (typeof plan === 'string') throw failing('NO_PLAN', plan);
    return plan.map((part) => ({ ...raw, part }));
  },
  replanAfterMs: (config, raw) => (raw['replan.ms'] ? Number(raw['replan.ms']) : null),
  async signal(context, config, raw, { id, type, data }) {
    appendFileSync(raw.journal, raw.name + ' ' + process.pid + ' ' + id + '\\n');
    switch (type) {
      case 'echo': return { answer: { planner: data } };
      case 'positions': return { answer: await context.positions(data ?? undefined) };
      case 'plan': return { answer: 'planning', replan: true };
      case 'nonsense': return 5;
      case 'hang': return forever();
      case 'throw': throw failing('NOT_TODAY', 'with ' + raw.pin);
      case 'tell': return { answer: raw.pin };
      default: throw failing('UNKNOWN_SIGNAL', 'no signal is called ' + type);
    }
  },
  checkPositions(context, config, raw, changes) {
    for (const { partition } of changes)
      if (partition.schema === 'forbidden') throw failing('NOT_MINE', 'there is no schema forbidden');
  },
  createTask: () => new Task(),
};
const silent = { ...connector, signal: undefined, replanAfterMs: undefined, createTask: () => new Deaf() };
export const source = { type: 'source', plugin: { ...connector, kind: 'source' } };
export const sink = { type: 'sink', plugin: { ...connector, kind: 'sink' } };
export const deaf = { type: 'source', plugin: { ...silent, kind: 'source' } };
`;

/** Answers the folder for `pluginPaths`. */
export function signalledPlugin(dir: string): string {
  const folder = join(dir, 'signalled');
  const entry = (name: string, type: string, of: string) => ({
    class: name,
    type,
    version: '1',
    module: `index.js#${of}`,
  });
  writePackage(
    folder,
    [
      entry('SignalledSource', 'source', 'source'),
      entry('SignalledSink', 'sink', 'sink'),
      entry('DeafSource', 'source', 'deaf'),
    ],
    { 'index.js': MODULE },
  );
  return folder;
}

/** A node whose connectors take signals, plan what `wants` says, and write what they do into a journal. */
export class SignalBench {
  readonly dir = temporaryFolder();
  readonly journal = join(this.dir, 'journal');
  readonly plan = join(this.dir, 'plan.json');
  readonly flag = join(this.dir, 'flag');
  readonly #nodes: NodeProcess[] = [];

  constructor(t: TestContext) {
    this.wants(['a', 'b']);
    appendFileSync(this.journal, '');
    t.after(async () => {
      for (const node of this.#nodes) await node.kill();
      removeFolder(this.dir);
    });
  }

  wants(plan: readonly string[] | string): void {
    writeFileSync(this.plan, JSON.stringify(plan));
  }

  config(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { journal, plan, flag } = this;
    const pin = 'hunter-4711';
    return {
      'connector.class': 'SignalledSource',
      topic: 't',
      'tasks.max': '9',
      journal,
      plan,
      flag,
      pin,
      ...more,
    };
  }

  /** Words that the unit has written. */
  said(unit: string): string[] {
    const lines = readFileSync(this.journal, 'utf8').split('\n');
    return lines.filter((line) => line.startsWith(`${unit} `)).map((line) => line.split(' ')[2] ?? '');
  }

  async node(settings: Readonly<Record<string, string>> = {}): Promise<NodeProcess> {
    const node = await NodeProcess.create(this.dir, {
      pluginPaths: signalledPlugin(this.dir),
      'task.restart.backoff.min.ms': '50',
      'planning.timeout.ms': '4000',
      ...settings,
    });
    this.#nodes.push(node);
    await node.start();
    return node;
  }
}
