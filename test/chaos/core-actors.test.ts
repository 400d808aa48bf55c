import assert from 'node:assert/strict';
import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startInProcess } from '../support/node-in-process.js';
import { contentOf, removeFolder, temporaryFolder } from '../support/node-process.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

/** A bound, not an expectation. */
const PATIENCE_MS = 60_000;
/** All actors but the tasks, and then the tasks themselves. */
const ACTORS = ['discovery', 'persistence', 'config-sync', 'rebalancer', 'http', 'log', 'in/0', 'out/0'];

test('each actor killed in turn under load costs no record and repeats none', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  writeFileSync(input, '');
  const { system, rest, gaveUp } = await startInProcess(dir, { 'task.restart.backoff.min.ms': '50' });
  let lines = 0;
  const load = setInterval(() => {
    let text = '';
    for (let i = 0; i < 200; i += 1) text += `${(lines += 1)} ${'y'.repeat(next(100))}\n`;
    appendFileSync(input, text);
  }, 10);
  t.after(async () => {
    clearInterval(load);
    await system.stop('the test is over');
    removeFolder(dir);
  });
  await rest.run('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  await rest.run('out', {
    'connector.class': 'FileSinkConnector',
    topics: 'lines',
    file: output,
    'base.dir': dir,
  });
  // Not by reading it: this thread is the node's supervisor as well.
  const length = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  for (const actor of ACTORS) {
    const before = length(output);
    await until(`records flow before ${actor} is killed`, () => length(output) > before, PATIENCE_MS);
    await letPass(next(100));
    await until(`${actor} runs`, () => system.kill(actor), PATIENCE_MS);
    const after = length(input);
    await until(
      `records written after ${actor} was killed arrive`,
      () => length(output) > after,
      PATIENCE_MS,
    );
    assert.equal(gaveUp(), null, 'the node goes on');
  }
  clearInterval(load);
  await until('everything has arrived', () => length(output) >= length(input), PATIENCE_MS);
  assert.ok(
    contentOf(output)?.equals(contentOf(input) ?? Buffer.alloc(0)),
    'the output is the input, byte for byte',
  );
});
