import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { random } from '../support/random.js';
import { enlargeDisk, fillDisk, freeOnDisk, mountSmallDisk, NO_SMALL_DISK } from '../support/small-disk.js';
import { letPass, until } from '../support/wait.js';

const MIB = 1 << 20;
const KILLS = Number(process.env['TEST_KILLS'] ?? 8);
const STATE_FILES = ['connectorConfig.json', 'offset.json', 'position.json', 'taskConfig.json'];

test(`a node killed ${KILLS} times while its disk is full loses nothing, and repeats nothing, once there is room`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const disk = mountSmallDisk(t, 32);
  if (disk === null) return t.skip(NO_SMALL_DISK);
  const store = join(disk, 'store');
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  let text = '';
  for (let i = 0; text.length < 40 * MIB; i += 1) text += `${i} ${'z'.repeat(next(300))}\n`;
  writeFileSync(input, text);
  // Applied at each boot, like a user's own: the disk is full before anybody could ask for them.
  mkdirSync(join(dir, 'connectors'));
  const connector = (name: string, config: Record<string, string>): void => {
    writeFileSync(join(dir, 'connectors', `${name}.json`), JSON.stringify({ name, config }));
  };
  connector('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  connector('out', {
    'connector.class': 'FileSinkConnector',
    topics: 'lines',
    file: output,
    'base.dir': dir,
  });
  const node = await NodeProcess.create(dir, {
    storePathRootDir: store,
    // Files are being written whenever a kill comes.
    positionPersistInterval: '100',
    offsetPersistInterval: '100',
    configPersistInterval: '100',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const beside = join(disk, 'beside');
  await node.start();
  await until('the source is held back', () => isHeldBack(node));
  fillDisk(beside);
  for (let kill = 0; kill < KILLS; kill += 1) {
    // At any moment of a boot, and of a node that runs and tries to write.
    if (kill % 2 === 0) await node.booted();
    await letPass(next(500));
    await node.kill();
    for (const file of STATE_FILES) isWhole(join(store, file));
    // Also what the node has given up to go on.
    fillDisk(beside);
    node.spawn();
  }
  await node.booted();
  await node.kill();
  assert.ok(freeOnDisk(disk) < 2 * MIB, 'it was full all the time');
  rmSync(beside);
  enlargeDisk(disk, 256);
  await node.start();
  await until('everything arrived', () => (contentOf(output)?.length ?? 0) >= text.length, 60_000);
  assert.ok(contentOf(output)?.equals(Buffer.from(text)), 'the output is the input, byte for byte');
  assert.equal(await node.stop(), 0, 'an orderly stop');
  assert.deepEqual(
    readdirSync(store).filter((name) => name.endsWith('.json')),
    ['appliedConnectors.json', ...STATE_FILES],
    'and nothing was set aside',
  );
  assert.match(contentOf(join(store, 'position.json'))?.toString() ?? '', new RegExp(`\\b${text.length}\\b`));
});

test('a node whose disk others fill to the brim stays steerable, and records go on in the room that its sinks make', async (t) => {
  const disk = mountSmallDisk(t, 64);
  if (disk === null) return t.skip(NO_SMALL_DISK);
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  const text = Array.from({ length: 60 * 1024 }, (_, i) => `${i} ${'z'.repeat(1000)}\n`).join('');
  writeFileSync(input, text);
  const node = await NodeProcess.create(dir, {
    storePathRootDir: join(disk, 'store'),
    'topic.retention.bytes': String(MIB),
    'store.retention.check.ms': '200',
    'heartbeat.interval.ms': '200',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const ask = async (method: string, path: string, status: number, body?: object): Promise<void> => {
    const answer = await node.request(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  };
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output, 'base.dir': dir };
  const source = { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' };
  await ask('POST', '/connectors', 201, { name: 'out', config: sink, initial_state: 'PAUSED' });
  await node.state('out', 'PAUSED');
  await node.run('in', source);
  await until('the source is held back', () => isHeldBack(node));
  const beside = join(disk, 'beside');
  fillDisk(beside);

  for (let i = 0; i < 5; i += 1) await ask('POST', '/connectors/in/restart?includeTasks=true', 202);
  await until('the source is held back again', () => isHeldBack(node));
  await ask('POST', '/connectors', 201, { name: 'late', config: { ...source, topic: 'other' } });
  await node.state('late', 'RUNNING');
  await ask('DELETE', '/connectors/late', 204);
  await node.kill();
  fillDisk(beside);
  await node.start();
  await ask('PUT', '/connectors/out/resume', 202);
  await until('everything arrived', () => (contentOf(output)?.length ?? 0) >= text.length, 60_000);
  assert.ok(contentOf(output)?.equals(Buffer.from(text)), 'the output is the input, byte for byte');
  assert.ok(freeOnDisk(disk) < 4 * MIB, 'it was full all the time');
  rmSync(beside);
  await ask('DELETE', '/connectors/in', 204);
  assert.equal(await node.stop(), 0, 'an orderly stop');
});

async function isHeldBack(node: NodeProcess): Promise<boolean> {
  const { body } = await node.request('GET', '/connectors/in/status');
  const status = JSON.stringify(body);
  assert.doesNotMatch(status, /FAILED/);
  return status.includes('"call":"append"');
}

/** A state file need not exist, but what is there is one write, from its beginning to its end. */
function isWhole(path: string): void {
  const content = contentOf(path);
  if (content !== null) assert.doesNotThrow(() => JSON.parse(content.toString()), `${path} is whole`);
}
