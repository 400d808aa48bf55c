/** Plugins in JavaScript that take signals, well or badly, and plan what a file says. */
import { join } from 'node:path';
import { writePackage } from '../unit/plugins/packages.js';

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
  async poll() { await this.inside(20); return []; }
  async put() { await this.inside(20); }
  async flush() { await this.inside(5); }
  stop() { return this.inside(5); }
  async signal({ id, type, data }) {
    this.say(id);
    if (this.busy) throw failing('CONCURRENT', 'called while another call is under way');
    const first = this.raw.flag !== '' && !existsSync(this.raw.flag);
    switch (type) {
      case 'echo': return { part: this.raw.part ?? null, data };
      case 'nothing': return;
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
      case 'plan': return { answer: 'planning', replan: true };
      case 'nonsense': return 5;
      case 'hang': return forever();
      case 'throw': throw failing('NOT_TODAY', 'with ' + raw.pin);
      case 'tell': return { answer: raw.pin };
      default: throw failing('UNKNOWN_SIGNAL', 'no signal is called ' + type);
    }
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
