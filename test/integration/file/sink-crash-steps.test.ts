import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { fileSink } from '#troupe/connectors/file/sink/sink.js';
import { SinkHarness } from '#troupe/sdk/testing/index.js';
import { HalfWritten, errno, faultyOps, type Fault } from './faulty-ops.js';
import { inFolder } from './temporary.js';

const COUNT = 12;
const VALUES = Array.from({ length: COUNT }, (_, n) => `${n} ${'größer'.repeat(n % 5)}`);
const BEFORE = 'what was there\n';

interface Scenario {
  readonly config: Readonly<Record<string, string>>;
  /** Stands in the output before the first run. */
  readonly existing: string;
}

/** Puts in threes, flushes after every second put, commits after every second flush. */
async function work(harness: SinkHarness): Promise<void> {
  await harness.start();
  for (let put = 0; (await harness.deliver(3)) > 0; put += 1) {
    if (put % 2 === 0) continue;
    const flushed = await harness.flush();
    if (put % 4 === 3) harness.commit(flushed);
  }
  await harness.stop();
}

function harnessOn(folder: string, scenario: Scenario, fault: Fault): SinkHarness {
  const raw = { file: join(folder, 'out.log'), ...scenario.config };
  const harness = new SinkHarness(fileSink(faultyOps(fault)), raw);
  harness.append(0, VALUES);
  return harness;
}

/** Everything that was written, in the order it was written. */
async function written(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => /^out(\.\d+)?\.log(\.gz)?$/.test(name));
  const pieces = names.filter((name) => name !== 'out.log').sort();
  const texts = [...pieces, ...names.filter((name) => name === 'out.log')].map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  });
  return (await Promise.all(texts)).join('');
}

/** The names of the steps of a run without faults. */
async function stepsOf(scenario: Scenario): Promise<string[]> {
  return inFolder(async (folder) => {
    if (scenario.existing !== '') await writeFile(join(folder, 'out.log'), scenario.existing);
    const steps: string[] = [];
    const harness = harnessOn(folder, scenario, (step) => {
      steps.push(step);
    });
    await work(harness);
    await harness.dispose();
    return steps;
  });
}

/** One run that dies at a step, and one that finishes the work. */
async function dieAt(fatal: number, scenario: Scenario, half: boolean): Promise<void> {
  await inFolder(async (folder) => {
    if (scenario.existing !== '') await writeFile(join(folder, 'out.log'), scenario.existing);
    let dead = false;
    const harness = harnessOn(folder, scenario, (step, number) => {
      if (number === fatal) dead = true;
      // A dead process does nothing more, but its files are closed. The step at which it dies may be done in part.
      if (dead && step !== 'close')
        throw half && number === fatal ? new HalfWritten('killed') : new Error('killed');
    });
    try {
      await work(harness);
    } catch (error) {
      if (!dead) throw error;
    }
    await harness.dispose();
    await finish(folder, scenario, harness.committed, `killed at step ${fatal}`);
  });
}

/** A new process on what the dead one left. */
async function finish(
  folder: string,
  scenario: Scenario,
  committed: SinkHarness['committed'],
  when: string,
): Promise<void> {
  const harness = harnessOn(folder, scenario, () => undefined);
  harness.commit(committed);
  await work(harness);
  await harness.dispose();
  const expected = scenario.existing + VALUES.map((value) => `${value}\n`).join('');
  assert.equal(await written(folder), expected, when);
}

const scenarios: Readonly<Record<string, Scenario>> = {
  'appending to a new file': { config: {}, existing: '' },
  'appending to a file that was there': { config: {}, existing: BEFORE },
  'rolling by size': { config: { 'rotate.bytes': '60' }, existing: '' },
  'rolling by size with compression': {
    config: { 'rotate.bytes': '100', compress: 'gzip' },
    existing: BEFORE,
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`killed before or in any step of ${name}: every line once`, async () => {
    const steps = await stepsOf(scenario);
    assert.ok(steps.length > 20);
    for (const [index, step] of steps.entries()) {
      await dieAt(index + 1, scenario, false);
      if (step === 'write' || step === 'gzip') await dieAt(index + 1, scenario, true);
    }
  });
}

test('a disk that is full at any step delays lines, and neither loses nor repeats any', async () => {
  const scenario: Scenario = { config: { 'rotate.bytes': '60' }, existing: BEFORE };
  for (let at = 1, reached = true; reached; at += 1) {
    reached = await inFolder(async (folder) => {
      await writeFile(join(folder, 'out.log'), BEFORE);
      let full = 0;
      const harness = harnessOn(folder, scenario, (step, number) => {
        // Full for three attempts to write, then somebody has made room.
        if (number < at || full >= 3 || !['write', 'create', 'open'].includes(step)) return;
        full += 1;
        throw step === 'write' ? Object.assign(new HalfWritten('full'), { code: 'ENOSPC' }) : errno('ENOSPC');
      });
      await workRetrying(harness);
      await harness.dispose();
      assert.equal(
        await written(folder),
        BEFORE + VALUES.map((value) => `${value}\n`).join(''),
        `full at step ${at}`,
      );
      return full > 0;
    });
  }
});

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`a progress file that could not be written while ${name}, and then a kill: every line once`, async () => {
    const writes = (await stepsOf(scenario)).filter((step) => step === 'create').length;
    for (let failing = 1; failing <= writes; failing += 1) {
      for (let more = 1; more <= 20; more += 1) await failAndDie(failing, more, scenario);
    }
  });
}

test('a first progress file whose second name could not be removed is not emptied by the next', () =>
  inFolder(async (folder) => {
    const scenario: Scenario = { config: {}, existing: '' };
    let linked = false;
    let failed = false;
    let dead = false;
    const harness = harnessOn(folder, scenario, (step) => {
      if (step === 'link') linked = true;
      if (step === 'remove' && linked && !failed) {
        failed = true;
        throw errno('EROFS');
      }
      // Where the next one would be written.
      if (step === 'write' && failed) dead = true;
      if (dead && step !== 'close') throw new Error('killed');
    });
    await harness.start();
    await assert.rejects(harness.deliver(), { name: 'RetriableError' });
    await assert.rejects(harness.deliver(), /killed/);
    await harness.dispose();
    await finish(folder, scenario, harness.committed, 'killed while writing the next');
  }));

test('an output that could not be opened when its first record came keeps its lines', () =>
  inFolder(async (folder) => {
    const raw = { file: join(folder, '{topic}.log'), transforms: 'route' };
    let full = false;
    const ops = faultyOps((step) => {
      if (step !== 'open' || !full) return;
      full = false;
      throw errno('EMFILE');
    });
    const harness = new SinkHarness(fileSink(ops), raw);
    try {
      for (const value of ['a', 'b']) {
        await harness.start();
        harness.append(0, [value]);
        full = value === 'b';
        if (full) await assert.rejects(harness.deliver(), { name: 'RetriableError' });
        await harness.deliver();
        await harness.stop();
      }
      assert.equal(await readFile(join(folder, 'topic.log'), 'utf8'), 'a\nb\n');
    } finally {
      await harness.dispose();
    }
  }));

/** The disk is full when a progress file is written for the n-th time, and some steps later the process dies. */
async function failAndDie(failing: number, more: number, scenario: Scenario): Promise<void> {
  await inFolder(async (folder) => {
    if (scenario.existing !== '') await writeFile(join(folder, 'out.log'), scenario.existing);
    let writes = 0;
    let failedAt = Infinity;
    let dead = false;
    const harness = harnessOn(folder, scenario, (step, number) => {
      if (step === 'create') writes += 1;
      if (step === 'create' && writes === failing) {
        failedAt = number;
        throw errno('ENOSPC');
      }
      if (number === failedAt + more) dead = true;
      if (dead && step !== 'close') throw new Error('killed');
    });
    try {
      await workRetrying(harness);
    } catch (error) {
      if (!dead) throw error;
    }
    await harness.dispose();
    await finish(folder, scenario, harness.committed, `full at write ${failing}, killed ${more} steps later`);
  });
}

async function workRetrying(harness: SinkHarness): Promise<void> {
  const retrying = async <T>(body: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await body();
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes('ENOSPC')) throw error;
        assert.equal(error.name, 'RetriableError');
      }
    }
  };
  await retrying(() => harness.start());
  for (let put = 0; (await retrying(() => harness.deliver(2))) > 0; put += 1) {
    if (put % 3 === 2) harness.commit(await retrying(() => harness.flush()));
  }
  await retrying(() => harness.stop());
}
