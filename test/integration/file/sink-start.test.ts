import assert from 'node:assert/strict';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { nodeFileOps, type FileOps } from '#troupe/connectors/file/file-ops.js';
import { fileSink } from '#troupe/connectors/file/sink/sink.js';
import { SinkHarness } from '#troupe/sdk/testing/index.js';
import { inFolder } from './temporary.js';

test('a file whose time is over while the sink finds out what it has is finished afterwards', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'out.log');
    const looks: string[] = [];
    let held: (() => void) | null = null;
    let hold = false;
    const ops: FileOps = {
      ...nodeFileOps,
      async read(fd, into, position) {
        if (hold) await new Promise<void>((resolve) => (held = resolve));
        return nodeFileOps.read(fd, into, position);
      },
      facts(of) {
        looks.push(of);
        return nodeFileOps.facts(of);
      },
    };
    mock.timers.enable({ apis: ['setInterval', 'Date'] });
    const harness = new SinkHarness(fileSink(ops), { file: path, 'rotate.ms': '1' });
    try {
      await harness.start();
      harness.append(0, ['a']);
      await harness.deliver();
      await harness.stop();
      await appendFile(path, 'not committed\n');
      hold = true;
      const starting = harness.start();
      while (held === null) await turn();
      looks.length = 0;
      mock.timers.tick(1000);
      await turn();
      assert.deepEqual(looks, [], 'the file is finished while it is being put back to its commit');
      hold = false;
      (held as () => void)();
      await starting;
      // Behind what the timer began.
      await harness.flush();
      assert.equal(await readFile(join(folder, 'out.000001.log'), 'utf8'), 'a\n');
    } finally {
      mock.timers.reset();
      await harness.dispose();
    }
  }));

test('the outputs of other tasks are looked for once, however many queues there are', () =>
  inFolder(async (folder) => {
    const looks: string[] = [];
    const ops: FileOps = {
      ...nodeFileOps,
      facts(of) {
        looks.push(of);
        return nodeFileOps.facts(of);
      },
    };
    const queues = [0, 1, 2, 3].map((queue) => ({ topic: 't', queue }));
    const harness = new SinkHarness(fileSink(ops), { file: join(folder, '{task}.log') }, { queues });
    try {
      await harness.start();
      assert.equal(looks.filter((path) => path === join(folder, '.7.log.progress.json')).length, 1);
    } finally {
      await harness.dispose();
    }
  }));

test('a timer that ticks while a put hangs leaves one thing to do, not one for each tick', async (t) =>
  inFolder(async (folder) => {
    const ticks: (() => void)[] = [];
    t.mock.method(globalThis, 'setInterval', (tick: () => void) => {
      ticks.push(tick);
      return setTimeout(() => undefined, 0);
    });
    let release: (() => void) | null = null;
    const ops: FileOps = {
      ...nodeFileOps,
      async write(fd, data) {
        if (data.toString() === 'a\n') await new Promise<void>((resolve) => (release = resolve));
        await nodeFileOps.write(fd, data);
      },
    };
    const harness = new SinkHarness(fileSink(ops), { file: join(folder, 'out.log'), 'rotate.ms': '3600000' });
    try {
      await harness.start();
      harness.append(0, ['a']);
      const putting = harness.deliver();
      while (release === null) await turn();
      for (let n = 0; n < 100; n += 1) for (const tick of ticks) tick();
      const clock = t.mock.method(Date, 'now');
      (release as () => void)();
      await putting;
      await harness.flush();
      // The first line's time, and what is old by now.
      assert.equal(clock.mock.callCount(), 2);
      for (const tick of ticks) tick();
      await harness.flush();
      assert.equal(clock.mock.callCount(), 3, 'it goes on ticking');
    } finally {
      await harness.dispose();
    }
  }));
