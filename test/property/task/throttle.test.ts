import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ratesOfTask, Throttle } from '#troupe/core/throttle.js';

const rate = fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 1e6, noNaN: true }));
const rates = fc.record({ recordsPerSecond: rate, bytesPerSecond: rate });
/** Somebody comes after so long, with so many records of so many bytes each. */
const visits = fc.array(
  fc.record({
    afterMs: fc.double({ min: 0, max: 5000, noNaN: true }),
    records: fc.integer({ min: 1, max: 1000 }),
    bytes: fc.integer({ min: 0, max: 5000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

interface Moved {
  readonly at: number;
  readonly records: number;
  readonly bytes: number;
}

/** As the loops do: nothing while it says to wait, and no more at once than is allowed, the last record whole. */
function play(throttle: Throttle, all: typeof visits extends fc.Arbitrary<infer V> ? V : never): Moved[] {
  const moved: Moved[] = [];
  let now = 0;
  for (const { afterMs, records, bytes } of all) {
    now += afterMs;
    if (throttle.waitMs(now) > 0) continue;
    const allowed = throttle.allowance(now);
    let count = 0;
    for (let left = allowed.bytes; count < Math.min(records, allowed.records) && left > 0; left -= bytes)
      count += 1;
    assert.ok(count >= 1, 'while it says not to wait, one may move');
    throttle.take(count, count * bytes, now);
    moved.push({ at: now, records: count, bytes: count * bytes });
  }
  return moved;
}

test('in no stretch of time moves more than the rate allows, and what a second saves up', () => {
  fc.assert(
    fc.property(rates, visits, (limits, all) => {
      const moved = play(new Throttle(limits, 0), all);
      const largest = Math.max(...all.map(({ bytes }) => bytes));
      for (let from = 0; from < moved.length; from += 1) {
        let records = 0;
        let bytes = 0;
        for (let to = from; to < moved.length; to += 1) {
          const [first, last] = [moved[from], moved[to]];
          if (first === undefined || last === undefined) break;
          records += last.records;
          bytes += last.bytes;
          const seconds = (last.at - first.at) / 1000;
          const { recordsPerSecond: r, bytesPerSecond: b } = limits;
          if (r > 0) assert.ok(records <= r * seconds + Math.max(1, r) + 1e-6, `${records} records`);
          if (b > 0) assert.ok(bytes <= b * seconds + Math.max(1, b) + largest + 1e-6, `${bytes} bytes`);
        }
      }
    }),
  );
});

test('from its beginning on no more moves than the rate allows: nothing is saved up before', () => {
  fc.assert(
    fc.property(rates, visits, (limits, all) => {
      const moved = play(new Throttle(limits, 0), all);
      const largest = Math.max(...all.map(({ bytes }) => bytes));
      let records = 0;
      let bytes = 0;
      for (const each of moved) {
        records += each.records;
        bytes += each.bytes;
        const { recordsPerSecond: r, bytesPerSecond: b } = limits;
        if (r > 0) assert.ok(records <= (r * each.at) / 1000 + 1e-6);
        if (b > 0) assert.ok(bytes <= (b * each.at) / 1000 + largest + 1e-6);
      }
    }),
  );
});

test('after the wait that it asks for something moves, and while it asks for none something does', () => {
  fc.assert(
    fc.property(rates, visits, (limits, all) => {
      const throttle = new Throttle(limits, 0);
      let now = 0;
      for (const { records, bytes } of all) {
        const waitMs = throttle.waitMs(now);
        assert.ok(Number.isFinite(waitMs) && waitMs >= 0);
        // Of rounding.
        now += waitMs * (1 + 1e-9) + 1e-6;
        assert.equal(throttle.waitMs(now), 0);
        throttle.take(Math.min(records, throttle.allowance(now).records), bytes, now);
      }
    }),
  );
});

test('a changed rate holds from then on, and what was owed is owed in seconds', () => {
  fc.assert(
    fc.property(rates, rates, visits, fc.integer({ min: 1, max: 1_000_000 }), (before, after, all, owed) => {
      const throttle = new Throttle(before, 0);
      throttle.take(0, owed, 0);
      const owedSeconds = before.bytesPerSecond === 0 ? 0 : owed / before.bytesPerSecond;
      throttle.set(after, 0);
      assert.deepEqual(throttle.rates, after);
      if (after.bytesPerSecond > 0)
        assert.ok(throttle.waitMs(0) >= owedSeconds * 1000 * (1 - 1e-9), 'a change forgives no debt');
      const r = after.recordsPerSecond;
      const moved = play(throttle, all);
      const records = moved.reduce((sum, each) => sum + each.records, 0);
      if (r > 0) assert.ok(records <= (r * (moved.at(-1)?.at ?? 0)) / 1000 + 1e-6);
    }),
  );
});

test('the tasks of a connector share its rate evenly', () => {
  assert.deepEqual(ratesOfTask({ recordsPerSecond: 100, bytesPerSecond: 10 }, 4), {
    recordsPerSecond: 25,
    bytesPerSecond: 2.5,
  });
});
