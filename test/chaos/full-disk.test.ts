import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { random } from '../support/random.js';
import { enlargeDisk, mountSmallDisk, NO_SMALL_DISK } from '../support/small-disk.js';
import { letPass, until } from '../support/wait.js';

const MIB = 1 << 20;
const KILLS = Number(process.env['TEST_KILLS'] ?? 8);
const STATE_FILES = ['connectorConfig.json', 'offset.json', 'position.json', 'taskConfig.json'];

test(`a node killed ${KILLS} times while its disk is full loses nothing, and repeats nothing, once there is room`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const disk = mountSmallDisk(t, 24);
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
  const free = (): number => {
    const { bavail, bsize } = statfsSync(disk);
    return bavail * bsize;
  };
  await node.start();
  await until('the disk is full', () => free() < MIB);
  for (let kill = 0; kill < KILLS; kill += 1) {
    // At any moment of a boot, and of a node that runs and tries to write. Not after it has booted for certain: with no
    // page left in the store it cannot join, and goes on trying.
    await letPass(next(kill % 2 === 0 ? 2500 : 500));
    await node.kill();
    for (const file of STATE_FILES) isWhole(join(store, file));
    node.spawn();
  }
  await node.kill();
  assert.ok(free() < MIB, 'it was full all the time');
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

/** A state file need not exist, but what is there is one write, from its beginning to its end. */
function isWhole(path: string): void {
  const content = contentOf(path);
  if (content !== null) assert.doesNotThrow(() => JSON.parse(content.toString()), `${path} is whole`);
}
