import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPulse, readPulse, startPulse } from '#troupe/actors/kernel/pulse.js';
import { Watchdog } from '#troupe/supervisor/watchdog.js';
import { until } from '../../support/wait.js';

function watched(): { silentMs: number; samples: number; watchdog: (at: number) => void } {
  let now = 0;
  const seen = { silentMs: 0, samples: 0, watchdog: (_at: number): void => undefined };
  const thread = {
    watch: (elapsedMs: number) => {
      seen.silentMs += elapsedMs;
    },
    sampleLoop: () => {
      seen.samples += 1;
    },
  };
  const watchdog = new Watchdog(
    () => [thread],
    () => now,
  );
  seen.watchdog = (at) => {
    now = at;
    watchdog.look();
  };
  return seen;
}

test('time in which the whole process was suspended is not held against its threads', () => {
  const seen = watched();
  seen.watchdog(250);
  seen.watchdog(500);
  assert.equal(seen.silentMs, 500);
  seen.watchdog(60_500);
  assert.equal(seen.silentMs, 750, 'a late round counts as one on time');
  seen.watchdog(60_750);
  assert.equal(seen.silentMs, 1000);
  assert.equal(seen.samples, 1, 'one in four rounds measures the loops');
});

test('a heap above the soft mark counts only when it is still there after a collection, twice', async () => {
  const calm = newPulse();
  const pulses = [startPulse(calm, { softLimitBytes: Number.MAX_SAFE_INTEGER })];
  const over = newPulse();
  pulses.push(startPulse(over, { softLimitBytes: 1 }));
  assert.equal(readPulse(over).overSoftLimit, false, 'once is not enough');
  await until('two beats', () => readPulse(over).overSoftLimit);
  await until('two beats', () => readPulse(calm).beat > 1);
  assert.equal(readPulse(calm).overSoftLimit, false);
  assert.ok(readPulse(calm).heapUsedBytes > 1024 * 1024);

  // Garbage alone is far above this mark, what is held far below.
  const garbage = newPulse();
  const mark = readPulse(over).heapUsedBytes + 8 * 1024 * 1024;
  pulses.push(startPulse(garbage, { softLimitBytes: mark }));
  for (let i = 0; i < 8; i += 1) {
    const before = readPulse(garbage).beat;
    Array.from({ length: 200_000 }, (_, n) => ({ n }));
    await until('another beat', () => readPulse(garbage).beat > before);
    assert.equal(readPulse(garbage).overSoftLimit, false);
  }
  for (const pulse of pulses) pulse[Symbol.dispose]();
});
