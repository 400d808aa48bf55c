import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const KILLS = Number(process.env['TEST_KILLS'] ?? 50);
const LINES_A_KILL = 4000;

/** A file source and a file sink over one topic, applied at boot like a user's own. */
function writeConnectors(dir: string): void {
  mkdirSync(join(dir, 'connectors'), { recursive: true });
  const write = (name: string, config: Record<string, string>): void => {
    writeFileSync(join(dir, 'connectors', `${name}.json`), JSON.stringify({ name, config }));
  };
  write('in', { 'connector.class': 'FileSourceConnector', file: join(dir, 'in.txt'), topic: 'lines' });
  write('out', {
    'connector.class': 'FileSinkConnector',
    topics: 'lines',
    file: join(dir, 'out.txt'),
    'base.dir': dir,
  });
}

test(`the output equals the input after ${KILLS} kills at random moments under load`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  writeConnectors(dir);
  const input = join(dir, 'in.txt');
  writeFileSync(input, '');
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  let lines = 0;
  const files = ['connectorConfig.json', 'taskConfig.json', 'position.json', 'offset.json'];
  for (let kill = 0; kill < KILLS; kill += 1) {
    node.spawn();
    let text = '';
    for (let i = 0; i < LINES_A_KILL; i += 1) text += `${(lines += 1)} ${'x'.repeat(next(200))} é\n`;
    // Half of a line now and half later: nothing may depend on whole lines arriving.
    const cut = next(text.length);
    appendFileSync(input, text.slice(0, cut));
    // Somewhere between the first instruction and a running pipeline.
    await letPass(next(kill % 2 === 0 ? 900 : 2500));
    appendFileSync(input, text.slice(cut));
    await letPass(next(150));
    await node.kill();
    // The four files are copies: whatever happens to them, the log has the truth.
    mkdirSync(join(dir, 'store'), { recursive: true });
    const file = join(dir, 'store', files[next(files.length)] ?? '');
    if (kill % 5 === 1 && contentOf(file) !== null) truncateSync(file, next(20));
    if (kill % 5 === 3) writeFileSync(file, Buffer.from([0, 255, 1, 2, 3]));
  }
  await node.start();
  const expected = contentOf(input);
  await until(
    'everything arrived',
    () => contentOf(join(dir, 'out.txt'))?.length === expected?.length,
    60_000,
  ).catch(() => undefined);
  assert.ok(
    contentOf(join(dir, 'out.txt'))?.equals(expected ?? Buffer.alloc(0)),
    difference(expected, contentOf(join(dir, 'out.txt'))),
  );
  assert.equal(await node.stop(), 0, 'an orderly stop');
});

/** Where two files begin to differ, for a person. */
function difference(expected: Buffer | null, found: Buffer | null): string {
  if (expected === null || found === null) return 'a file is missing';
  let at = 0;
  while (at < expected.length && at < found.length && expected[at] === found[at]) at += 1;
  const around = (data: Buffer): string =>
    JSON.stringify(data.subarray(Math.max(0, at - 40), at + 80).toString());
  return `lengths ${expected.length} and ${found.length}, differ at byte ${at}: ${around(expected)} but ${around(found)}`;
}
