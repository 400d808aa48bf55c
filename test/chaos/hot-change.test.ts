import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startInProcess } from '../support/node-in-process.js';
import {
  contentOf,
  NodeProcess,
  removeFolder,
  temporaryFolder,
  type RestClient,
} from '../support/node-process.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const KILLS = Number(process.env['TEST_KILLS'] ?? 12);
const CHANGES_A_KILL = 6;
const LINES_A_CHANGE = 1500;

type Config = Record<string, string>;

/** What is changed while it runs, by chance. A value is text, or an object with one field, and holds its line in any case. */
function hotKeys(next: (bound: number) => number): Config {
  const config: Config = {
    'errors.tolerance': next(2) === 0 ? 'none' : 'all',
    'batch.max.records': String(1 + next(800)),
    'throttle.records.per.second': ['0', '20000', '3000'][next(3)] ?? '0',
    'throttle.bytes.per.second': ['0', '400000'][next(2)] ?? '0',
  };
  if (next(2) === 0) config['linger.ms'] = String(next(20));
  if (next(2) === 0) config['offset.flush.interval.ms'] = String(1 + next(200));
  const transforms = ['', 'field', 'case', 'field,case'][next(4)] ?? '';
  if (transforms === '') return config;
  config['transforms'] = transforms;
  if (transforms.includes('field')) {
    config['transforms.field.type'] = 'HoistField$Value';
    config['transforms.field.field'] = `f${next(1000)}`;
  }
  if (transforms.includes('case')) config['transforms.case.type'] = 'InsertHeader';
  if (transforms.includes('case')) config['transforms.case.header'] = 'by';
  if (transforms.includes('case')) config['transforms.case.value.literal'] = String(next(10));
  return config;
}

interface Flow {
  readonly source: Config & { readonly file: string };
  readonly sink: Config;
  readonly next: (bound: number) => number;
}

/** Writes lines, and changes one of two connectors while they are read. */
class Load {
  lines = 0;
  readonly #rest: RestClient;
  readonly #flow: Flow;

  constructor(rest: RestClient, flow: Flow) {
    this.#rest = rest;
    this.#flow = flow;
  }

  async change(): Promise<void> {
    const { source, sink, next } = this.#flow;
    let text = '';
    for (let i = 0; i < LINES_A_CHANGE; i += 1) text += `line ${(this.lines += 1)}.\n`;
    const cut = next(text.length);
    appendFileSync(source.file, text.slice(0, cut));
    const which = next(2);
    const [name, own] = which === 0 ? (['in', source] as const) : (['out', sink] as const);
    // Now and then one that starts its tasks anew.
    const restart: Config =
      next(6) > 0 ? {} : which === 0 ? { 'batch.size': String(1 + next(4000)) } : { fsync: 'false' };
    const config = { ...own, ...hotKeys(next), ...restart };
    const { status } = await this.#rest.request('PUT', `/connectors/${name}/config`, config);
    assert.equal(status, 200);
    appendFileSync(source.file, text.slice(cut));
    await letPass(next(250));
  }
}

async function checkOutput(output: string, lines: number): Promise<void> {
  const text = (): string => contentOf(output)?.toString() ?? '';
  const numbers = (): readonly string[] =>
    [...text().matchAll(/line (\d+)\./g)].map(([, number = '']) => number);
  await until('everything arrived', () => numbers().length >= lines, 120_000).catch(() => undefined);
  const found = numbers();
  const at = found.findIndex((number, i) => number !== String(i + 1));
  assert.equal(at, -1, `after record ${at} comes ${found.slice(at, at + 3).join()}`);
  assert.equal(found.length, lines);
  assert.equal(text().trim().split('\n').length, lines);
}

test(`changes under load and ${KILLS} kills lose no record, repeat none, and keep their order`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  writeFileSync(input, '');
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const source = { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' };
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output };
  await node.start();
  await node.run('in', source);
  await node.run('out', sink);
  const load = new Load(node, { source, sink, next });
  let taken = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    for (let i = 0; i < CHANGES_A_KILL; i += 1) await load.change();
    await node.kill();
    taken += node.output.split('a changed configuration is taken over').length - 1;
    await node.start();
  }
  await node.run('in', source);
  await node.run('out', sink);
  await checkOutput(output, load.lines);
  t.diagnostic(`${taken} changes were taken over, ${load.lines} records`);
  assert.ok(taken > 0);
  assert.equal(await node.stop(), 0, 'an orderly stop');
});

test(`changes while the threads of the tasks are killed lose no record, repeat none, and keep their order`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  writeFileSync(input, '');
  const { system, rest } = await startInProcess(dir, {
    'task.restart.max': '1000',
    'task.restart.backoff.min.ms': '10',
    'task.restart.backoff.max.ms': '100',
  });
  t.after(async () => {
    await system.stop('the test is over');
    removeFolder(dir);
  });
  const source = { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' };
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output };
  await rest.run('in', source);
  await rest.run('out', sink);
  const load = new Load(rest, { source, sink, next });
  let killed = 0;
  for (let i = 0; i < KILLS * CHANGES_A_KILL; i += 1) {
    await load.change();
    // Two kills of the rebalancer are within its intensity.
    const victim = i % 30 === 29 && i < 60 ? 'rebalancer' : next(2) === 0 ? 'in/0' : 'out/0';
    if (system.kill(victim)) killed += 1;
  }
  assert.ok(killed > 0);
  await rest.run('in', source);
  await rest.run('out', sink);
  await checkOutput(output, load.lines);
  t.diagnostic(`${killed} threads were killed, ${load.lines} records`);
});
