import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { HeldBackFlow, isHeldBack } from '../support/held-back.js';
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
  const text = Array.from({ length: 60 * 1024 }, (_, i) => `${i} ${'z'.repeat(1000)}\n`).join('');
  const flow = await HeldBackFlow.start(t, text, {
    storePathRootDir: join(disk, 'store'),
    'heartbeat.interval.ms': '200',
  });
  const { node, source } = flow;
  const beside = join(disk, 'beside');
  fillDisk(beside);

  for (let i = 0; i < 5; i += 1) await flow.ask('POST', '/connectors/in/restart?includeTasks=true', 202);
  await flow.heldBack();
  await flow.ask('POST', '/connectors', 201, { name: 'late', config: { ...source, topic: 'other' } });
  await node.state('late', 'RUNNING');
  await flow.ask('DELETE', '/connectors/late', 204);
  await node.kill();
  fillDisk(beside);
  await node.start();
  await flow.ask('PUT', '/connectors/out/resume', 202);
  await flow.everythingArrived();
  assert.ok(freeOnDisk(disk) < 4 * MIB, 'it was full all the time');
  rmSync(beside);
  await flow.ask('DELETE', '/connectors/in', 204);
  assert.equal(await node.stop(), 0, 'an orderly stop');
});

/** A state file need not exist, but what is there is one write, from its beginning to its end. */
function isWhole(path: string): void {
  const content = contentOf(path);
  if (content !== null) assert.doesNotThrow(() => JSON.parse(content.toString()), `${path} is whole`);
}
