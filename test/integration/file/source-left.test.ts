import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { LeftPositions } from '#troupe/connectors/file/source/left-positions.js';
import source from '#troupe/connectors/file/source/source.js';
import { FileSourceTask } from '#troupe/connectors/file/source/source-task.js';
import type { JsonObject } from '#troupe/sdk/index.js';
import { SourceHarness } from '#troupe/sdk/testing/index.js';
import { until } from '../../support/wait.js';
import { inFolder } from './temporary.js';
import { withSource } from './with-source.js';

assert.ok(source.type === 'source');
const connector = { ...source.plugin, createTask: () => new FileSourceTask(0) };

function harnessOn(folder: string, maxTasks = 1): SourceHarness {
  const files = { topic: 't', 'poll.interval.ms': '5', files: `${folder}/**/*.log` };
  return new SourceHarness(connector, files, { maxTasks });
}

async function put(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), `${name}\n`);
  }
}

function nameOf(folder: string, { file }: JsonObject): string {
  return typeof file === 'string' ? relative(folder, file) : '?';
}

function namesOf(folder: string, harness: SourceHarness): string[] {
  return harness.positions.map(({ partition }) => nameOf(folder, partition)).sort();
}

interface Situation {
  readonly names?: readonly string[];
  /** After the files were read. */
  readonly before: (folder: string) => Promise<unknown>;
  /** Between the first look and the second. */
  readonly between?: (folder: string) => Promise<unknown>;
  readonly given?: string;
  readonly matched?: string;
  readonly rotatedFolders?: readonly string[];
}

/** The names whose positions are retired. */
function retired({
  names = ['d/a.log', 'd/b.log'],
  before,
  between,
  ...options
}: Situation): Promise<string[]> {
  return inFolder(async (folder) => {
    await put(folder, names);
    const harness = harnessOn(folder);
    await harness.start();
    await harness.accept(await harness.collect(names.length));
    await harness.stop();
    await before(folder);
    const found: string[] = [];
    let now = 0;
    const left = new LeftPositions({
      positions: harness.positions,
      isMine: (path) => path !== join(folder, options.given ?? ''),
      isFollowed: () => false,
      matched: () => (options.matched === undefined ? [] : [join(folder, options.matched)]),
      rotatedFolders: options.rotatedFolders ?? [],
      retire: (file) => void found.push(nameOf(folder, { file })),
      graceMs: 1000,
      now: () => now,
    });
    const { signal } = new AbortController();
    await left.look(signal);
    now = 999;
    await left.look(signal);
    assert.deepEqual(found, [], 'not within the grace');
    now = 1000;
    await between?.(folder);
    await left.look(signal);
    return found;
  });
}

test('positions of files that were deleted while nobody followed them are retired, by the task that would follow them', () =>
  inFolder(async (folder) => {
    const gone = ['aa.log', 'bb.log', 'cc.log', 'dd.log', 'ee.log'];
    await put(folder, [...gone, 'stays.log']);
    const harness = harnessOn(folder, 3);
    try {
      await harness.start();
      assert.equal(harness.taskCount, 3);
      await harness.accept(await harness.collect(6));
      await harness.stop();
      for (const name of gone) await rm(join(folder, name));
      await harness.start();
      await until('only the position of what is there is left', async () => {
        assert.deepEqual(await harness.poll(), []);
        return harness.positions.length === 1;
      });
      assert.deepEqual(namesOf(folder, harness), ['stays.log']);
    } finally {
      await harness.dispose();
    }
  }));

test('a deleted file whose last line has no end is forgotten after that line', () =>
  withSource({ files: '*.log' }, async ({ folder, path, harness, take }) => {
    await writeFile(path, 'whole\nhalf');
    await writeFile(join(folder, 'stays.log'), 'stays\n');
    await harness.start();
    assert.deepEqual((await take(2)).sort(), ['stays', 'whole']);
    await rm(path);
    assert.deepEqual(await take(1), ['half']);
    assert.deepEqual(await harness.poll(), []);
    assert.deepEqual(namesOf(folder, harness), ['stays.log']);
  }));

const removeA = (folder: string): Promise<void> => rm(join(folder, 'd/a.log'));

test('a file that is gone is forgotten after a while, beside one that is still there', async () => {
  assert.deepEqual(await retired({ before: removeA }), ['d/a.log']);
});

test('what is back within the while, or was given by its name, is not forgotten', async () => {
  assert.deepEqual(await retired({ before: removeA, between: (folder) => put(folder, ['d/a.log']) }), []);
  assert.deepEqual(await retired({ before: removeA, given: 'd/a.log' }), []);
});

test('a file that has another name is not forgotten, also in another folder', async () => {
  const moveTo =
    (name: string) =>
    async (folder: string): Promise<void> => {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await rename(join(folder, 'd/a.log'), join(folder, name));
    };
  assert.deepEqual(await retired({ before: moveTo('d/other') }), []);
  assert.deepEqual(await retired({ before: moveTo('old/other'), rotatedFolders: ['../old'] }), []);
  assert.deepEqual(await retired({ before: moveTo('e/c.log'), matched: 'e/c.log' }), []);
});

test('a path whose rotation left a file that may not be read yet is not forgotten', async () => {
  const before = async (folder: string): Promise<void> => {
    await removeA(folder);
    await put(folder, ['d/a.log.1']);
  };
  assert.deepEqual(await retired({ before }), []);
});

test('a link that leads nowhere is not forgotten', async () => {
  const before = async (folder: string): Promise<void> => {
    await removeA(folder);
    await symlink('nowhere', join(folder, 'd/a.log'));
  };
  assert.deepEqual(await retired({ before }), []);
});

test('nothing is forgotten where the folder is missing, or a folder of rotation', async () => {
  const before = (folder: string): Promise<void> => rm(join(folder, 'd'), { recursive: true });
  assert.deepEqual(await retired({ names: ['d/a.log', 'b.log'], before }), []);
  assert.deepEqual(await retired({ before: removeA, rotatedFolders: ['old'] }), []);
});

test('nothing is forgotten where no file of a position is found, as on another node', async () => {
  const before = async (folder: string): Promise<void> => {
    await rm(join(folder, 'd'), { recursive: true });
    await put(folder, ['d/b.log', 'd/c.log']);
  };
  assert.deepEqual(await retired({ before }), []);
});
