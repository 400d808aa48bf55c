import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeFileOps } from '#troupe/connectors/file/file-ops.js';
import { Compressor } from '#troupe/connectors/file/sink/compressor.js';
import { OutputPath } from '#troupe/connectors/file/sink/output-path.js';
import { Outputs } from '#troupe/connectors/file/sink/outputs.js';
import { TopicLives } from '#troupe/connectors/file/sink/topic-lives.js';
import { ANY_FILE, RecordingLogger } from '#troupe/sdk/testing/index.js';
import { inFolder } from './temporary.js';

const MANY = 3;

/** Outputs that transforms name, of which `MANY` are remembered, and a clock that goes on by one at each look. */
function outputsIn(folder: string): {
  outputs: Outputs;
  write: (topic: string, line: string) => Promise<void>;
} {
  let time = 0;
  const log = new RecordingLogger();
  const shared = {
    ops: nodeFileOps,
    paths: new OutputPath(join(folder, '{topic}.log'), null),
    files: ANY_FILE,
    log,
    compressor: new Compressor(nodeFileOps, log),
    fsync: false,
    gzip: false,
    rolls: true,
    writer: { connector: 'c', task: 0, start: 's' },
    topics: new TopicLives({ assignment: [], topicId: () => null }),
    now: () => (time += 1),
  };
  const outputs = new Outputs(shared, 0, { transforms: 'route' }, MANY);
  const offsets = new Map<string, number>();
  const write = async (topic: string, line: string): Promise<void> => {
    const output = await outputs.of(topic, 0);
    const progress = output.queue('orders', 0);
    assert.equal(progress.next, offsets.get(topic) ?? 0);
    await output.append(Buffer.from(`${line}\n`));
    progress.next += 1;
    offsets.set(topic, progress.next);
  };
  return { outputs, write };
}

function known(outputs: Outputs): string[] {
  return [...outputs.all()].map(({ path }) => path.slice(-'0.log'.length, -'.log'.length));
}

async function closeAll(outputs: Outputs): Promise<void> {
  for (const output of outputs.all()) await output.close();
}

test('outputs that nothing was written to are forgotten, those written to longest ago first, and lose nothing', () =>
  inFolder(async (folder) => {
    const { outputs, write } = outputsIn(folder);
    for (let n = 0; n < 8; n += 1) {
      await write(`t${n}`, 'a');
      await write('t0', `${n}`);
      await outputs.commit();
    }
    assert.deepEqual(known(outputs).sort(), ['0', '6', '7']);
    await write('t1', 'b');
    await outputs.commit();
    assert.equal(await readFile(join(folder, 't1.log'), 'utf8'), 'a\nb\n');
    await closeAll(outputs);
  }));

test('what is not committed is not forgotten', () =>
  inFolder(async (folder) => {
    const { outputs, write } = outputsIn(folder);
    for (let n = 0; n < 8; n += 1) await write(`t${n}`, 'a');
    await outputs.commit();
    assert.equal(known(outputs).length, 8);
    await outputs.commit();
    assert.equal(known(outputs).length, MANY);
    await closeAll(outputs);
  }));

test('a forgotten output is finished when its time is up, and once', () =>
  inFolder(async (folder) => {
    const { outputs, write } = outputsIn(folder);
    for (let n = 0; n < 8; n += 1) {
      await write(`t${n}`, 'a');
      await outputs.commit();
    }
    await write('t1', 'b');
    // The first lines of the first five are older than the sixth's.
    await outputs.roll(5);
    assert.equal(known(outputs).length, MANY + 1, 'what was looked up to be finished is forgotten again');
    await outputs.roll(5);
    const pieces = (await readdir(folder)).filter((name) => name.includes('000')).sort();
    assert.deepEqual(
      pieces,
      [0, 1, 2, 3, 4].map((n) => `t${n}.000001.log`),
    );
    assert.equal(await readFile(join(folder, 't1.000001.log'), 'utf8'), 'a\nb\n');
    await write('t0', 'c');
    await outputs.commit();
    assert.equal(await readFile(join(folder, 't0.log'), 'utf8'), 'c\n');
    await closeAll(outputs);
  }));
