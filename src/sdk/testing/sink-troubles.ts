/** What goes wrong on the way to a sink's system, and at the end of a task. */
import { test, type TestContext } from 'node:test';
import { OPTIONAL_STRING_SCHEMA } from '../schema-constants.js';
import type { SinkBench, SinkFixture } from './sink-bench.js';
import type { SinkHarness } from './sink-harness.js';
import { endsInTime, inside, interrupted, UNKNOWN_SIGNAL, unknownSignal } from './with-harness.js';

/** Answers what makes the system writable again. */
type Interrupt = () => Promise<() => Promise<void>>;
type Body = (fixture: SinkFixture, harness: SinkHarness, interrupt: Interrupt) => Promise<void>;

export function registerSinkTroubles(bench: SinkBench): void {
  const troubled = (name: string, body: Body): void => {
    test(name, (context) => withInterruption(bench, context, body));
  };

  test('tombstones, with and without a key, and other nulls are taken or refused as bad records', () =>
    takesTombstones(bench));

  test('a signal of an unknown type is answered, and changes nothing', () => survivesSignals(bench));

  troubled(
    'records that could not be written are written when they come again',
    async (fixture, harness, interrupt) => {
      await written(bench, harness);
      const repair = await interrupt();
      bench.append(harness, 0, 4, 4);
      await interrupted(async () => {
        await harness.deliver(2);
        await harness.flush();
      });
      await repair();
      await bench.finish(fixture, harness, 8);
    },
  );

  troubled(
    'records that were put before an interruption arrive after a failed flush',
    async (fixture, harness, interrupt) => {
      await written(bench, harness);
      bench.append(harness, 0, 4, 4);
      await harness.deliver(2);
      const repair = await interrupt();
      await interrupted(async () => {
        harness.commit(await harness.flush());
      });
      await repair();
      harness.commit(await harness.flush());
      harness.kill();
      await harness.start();
      await bench.finish(fixture, harness, 8);
    },
  );

  for (const put of ['before', 'during'] as const) {
    troubled(
      `what was put ${put} an interruption and not flushed is not taken for durable`,
      async (fixture, harness, interrupt) => {
        await written(bench, harness);
        bench.append(harness, 0, 4, 4);
        if (put === 'before') await harness.deliver(2);
        const repair = await interrupt();
        await interrupted(async () => {
          if (put === 'during') await harness.deliver(2);
          harness.commit(await harness.flush());
        });
        harness.kill();
        await repair();
        await harness.start();
        await bench.finish(fixture, harness, 8);
      },
    );
  }

  troubled('a start during an interruption may be tried again', async (fixture, harness, interrupt) => {
    await written(bench, harness);
    harness.kill();
    const repair = await interrupt();
    await interrupted(() => harness.start());
    harness.kill();
    await repair();
    await harness.start();
    bench.append(harness, 0, 4, 4);
    await bench.finish(fixture, harness, 8);
  });

  for (const call of ['start', 'put', 'flush'] as const) {
    troubled(
      `a ${call} under way ends when the task is asked to stop`,
      async (fixture, harness, interrupt) => {
        await written(bench, harness);
        if (call === 'start') harness.kill();
        else bench.append(harness, 0, 4, 4);
        if (call === 'flush') await harness.deliver(2);
        const repair = await interrupt();
        const underWay = {
          start: () => harness.start(),
          put: () => harness.deliver(2),
          flush: () => harness.flush(),
        }[call]();
        await inside(underWay, () => harness.running);
        await endsInTime(() => harness.stop(underWay));
        harness.kill();
        await repair();
        await harness.start();
        if (call === 'start') bench.append(harness, 0, 4, 4);
        await bench.finish(fixture, harness, 8);
      },
    );
  }
}

/** Four records arrive and are committed. */
async function written(bench: SinkBench, harness: SinkHarness): Promise<void> {
  bench.append(harness, 0, 0, 4);
  await harness.deliver();
  harness.commit(await harness.flush());
}

async function withInterruption(bench: SinkBench, context: TestContext, body: Body): Promise<void> {
  await bench.harnessed(async (fixture, harness) => {
    if (fixture.interrupt === undefined) {
      context.skip('the fixture has no interrupt()');
      return;
    }
    await body(fixture, harness, () => fixture.interrupt?.() ?? Promise.resolve(() => Promise.resolve()));
  });
}

async function survivesSignals(bench: SinkBench): Promise<void> {
  await bench.harnessed(async (fixture, harness) => {
    bench.append(harness, 0, 0, 2);
    await unknownSignal(() => harness.signal(UNKNOWN_SIGNAL));
    await harness.deliver();
    // Before the flush, and again: it may come twice.
    for (let i = 0; i < 2; i += 1)
      await unknownSignal(() => harness.signal(UNKNOWN_SIGNAL, { depth: [1] }, 'the-same'));
    bench.append(harness, 0, 2, 2);
    await bench.finish(fixture, harness, 4);
  });
}

/** The records around them arrive, whatever the sink makes of them. */
async function takesTombstones(bench: SinkBench): Promise<void> {
  await bench.harnessed(async (fixture, harness) => {
    const values = bench.values(0, 6);
    values.forEach((_, n) => {
      bench.append(harness, 0, n, 1);
      harness.append(
        0,
        [null],
        n % 3 === 2 ? OPTIONAL_STRING_SCHEMA : null,
        n % 2 === 0 ? `gone ${n}` : null,
      );
    });
    // Together, then alone.
    await harness.deliverTolerating(6);
    while ((await harness.deliverTolerating(1)) > 0);
    await bench.finishAmong(fixture, harness, values);
  });
}
