/** Bad records go to dead-letter queues while the node is killed: none is lost, and the good ones stand there once. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const KILLS = Number(process.env['TEST_KILLS'] ?? 6);
const LINES_A_KILL = 600;

const TOLERANT = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.context.headers.enable': 'true',
};

test(`nothing is lost of what a source and a sink cannot handle, over ${KILLS} kills at random moments`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { 'offset.flush.interval.ms': '200' });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const path = (name: string): string => join(dir, name);
  const sink = (topics: string, name: string, more: Record<string, string> = {}): Promise<void> =>
    node.run(name, { 'connector.class': 'FileSinkConnector', topics, file: path(`${name}.txt`), ...more });
  writeFileSync(path('in.txt'), '');
  await node.start();
  await node.run('in', {
    'connector.class': 'FileSourceConnector',
    file: path('in.txt'),
    topic: 'lines',
    transforms: 'only',
    'transforms.only.type': 'Filter',
    // A line that is no number is bad for the source.
    'transforms.only.condition': "int(value.split(' ')[0]) >= 0",
    ...TOLERANT,
    'errors.deadletterqueue.topic.name': 'dead-source',
  });
  // A line that is no JSON is bad for the sink.
  await sink('lines', 'good', {
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'false',
    ...TOLERANT,
    'errors.deadletterqueue.topic.name': 'dead-sink',
  });
  await sink('dead-sink', 'letters-sink');
  await sink('dead-source', 'letters-source');
  const all: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    let text = '';
    for (let i = 0; i < LINES_A_KILL; i += 1) {
      const n = all.length;
      const line = [`x${n} is no number`, `${n} is no JSON`, String(n)][next(3)] ?? '';
      all.push(line);
      text += `${line}\n`;
    }
    appendFileSync(path('in.txt'), text);
    await letPass(next(1200));
    await node.kill();
    await node.start();
  }
  const bySource = all.filter((line) => line.startsWith('x'));
  const bySink = all.filter((line) => line.endsWith('no JSON'));
  const good = all.filter((line) => /^\d+$/.test(line));
  const linesOf = (name: string): string[] =>
    (contentOf(path(name))?.toString('utf8') ?? '').split('\n').slice(0, -1);
  await until('all that is good is there', () => linesOf('good.txt').length >= good.length, 60_000);
  assert.deepEqual(linesOf('good.txt'), good);
  await until(
    'all letters of the sink are there',
    () => new Set(linesOf('letters-sink.txt')).size === bySink.length,
    60_000,
  );
  await until(
    'all letters of the source are there',
    () => linesOf('letters-source.txt').length >= bySource.length,
    60_000,
  );
  // Both go into the log with what passes them.
  assert.deepEqual(
    linesOf('letters-source.txt'),
    bySource.map((line) => JSON.stringify({ schema: { type: 'string', optional: false }, payload: line })),
  );
  assert.deepEqual(linesOf('letters-sink.txt'), bySink);
});
