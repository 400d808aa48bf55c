import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
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
  let lines = 0;
  let taken = 0;
  const change = async (): Promise<void> => {
    let text = '';
    for (let i = 0; i < LINES_A_CHANGE; i += 1) text += `line ${(lines += 1)}.\n`;
    const cut = next(text.length);
    appendFileSync(input, text.slice(0, cut));
    const which = next(2);
    const [name, own] = which === 0 ? (['in', source] as const) : (['out', sink] as const);
    // Now and then one that starts its tasks anew.
    const restart: Config =
      next(6) > 0 ? {} : which === 0 ? { 'batch.size': String(1 + next(4000)) } : { fsync: 'false' };
    const { status } = await node.request('PUT', `/connectors/${name}/config`, {
      ...own,
      ...hotKeys(next),
      ...restart,
    });
    assert.equal(status, 200);
    appendFileSync(input, text.slice(cut));
    await letPass(next(250));
  };
  for (let kill = 0; kill < KILLS; kill += 1) {
    for (let i = 0; i < CHANGES_A_KILL; i += 1) await change();
    await node.kill();
    taken += node.output.split('a changed configuration is taken over').length - 1;
    await node.start();
  }
  await node.run('in', source);
  await node.run('out', sink);
  const numbers = (): readonly string[] =>
    [...(contentOf(output)?.toString() ?? '').matchAll(/line (\d+)\./g)].map(([, number = '']) => number);
  await until('everything arrived', () => numbers().length >= lines, 120_000).catch(() => undefined);
  const found = numbers();
  const at = found.findIndex((number, i) => number !== String(i + 1));
  assert.equal(at, -1, `after record ${at} comes ${found.slice(at, at + 3).join()}`);
  assert.equal(found.length, lines);
  assert.equal((contentOf(output)?.toString() ?? '').trim().split('\n').length, lines);
  t.diagnostic(`${taken} changes were taken over, ${lines} records`);
  assert.ok(taken > 0);
  assert.equal(await node.stop(), 0, 'an orderly stop');
});
