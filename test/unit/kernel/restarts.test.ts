import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextDelayMs } from '#troupe/core/backoff.js';
import { RestartWindow } from '#troupe/core/restart-window.js';

test('a restart is allowed exactly when fewer than the limit lie within the period before it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 60 }),
      (restarts, periodMs, gaps) => {
        const window = new RestartWindow({ restarts, periodMs });
        let now = 0;
        let noted: number[] = [];
        for (const gap of gaps) {
          now += gap;
          noted = noted.filter((time) => time > now - periodMs);
          assert.equal(window.record(now), noted.length < restarts);
          // One too many is noted once: what comes after it is one too many as well, until the period is over.
          if (noted.length <= restarts) noted.push(now);
          assert.equal(window.count(now), noted.length);
        }
      },
    ),
  );
});

test('the wait before a restart doubles from the least to the most, less its random part', () => {
  const backoff = fc.record({
    minMs: fc.integer({ min: 1, max: 10_000 }),
    maxMs: fc.integer({ min: 10_000, max: 1_000_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(backoff, fc.integer({ min: 1, max: 5000 }), random, (policy, attempt, chance) => {
      const whole = nextDelayMs({ ...policy, jitter: 0 }, attempt, chance);
      assert.equal(whole, Math.min(policy.maxMs, policy.minMs * 2 ** (attempt - 1)));
      const delay = nextDelayMs(policy, attempt, chance);
      assert.ok(delay <= whole && delay >= Math.floor(whole * (1 - policy.jitter)), `${delay} of ${whole}`);
    }),
  );
});
