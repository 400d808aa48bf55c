import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { EventRing } from '#troupe/core/event-ring.js';
import type { RuntimeEvent } from '#troupe/core/event.js';

const MAX = 10;

/** Entries with so many events, which come; and clients that read a page of so many. */
const step = fc.oneof(
  fc.record({ events: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ page: fc.integer({ min: 1, max: 8 }) }),
  fc.constant({ reset: true }),
);

test('a client that asks on from where a page ended hears each event once and in order, or that some were missed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const ring = new EventRing(MAX, 0);
      const made: RuntimeEvent[] = [];
      let now = 0;
      let next = 0;
      let heard = 0;
      const read = (max: number): void => {
        const page = ring.page(next, now, max);
        if (page.missed) heard = made.findIndex((event) => event === page.events[0]);
        else assert.ok(page.events.length > 0 || page.next === now, 'what is there comes');
        if (heard < 0) heard = made.length;
        for (const event of page.events) assert.equal(event, made[heard++]);
        assert.ok(page.next >= next && page.next <= now);
        next = page.next;
      };
      for (const each of steps) {
        if ('events' in each) {
          const events = Array.from({ length: each.events }, (): RuntimeEvent => ({
            offset: now,
            at: 0,
            event: 'state',
            connector: null,
            data: {},
          }));
          now += 1;
          made.push(...events);
          ring.push(events);
        } else if ('page' in each) {
          read(each.page);
        } else {
          ring.reset(now);
          // Who is as far has missed nothing.
          if (next === now) assert.equal(heard, made.length);
        }
      }
      for (let i = 0; i <= made.length && next < now; i += 1) read(3);
      assert.equal(next, now);
      assert.equal(heard, made.length);
    }),
    { numRuns: 2000 },
  );
});

test('a place that is not there yet is told as missed, and one from now on is not', () => {
  const ring = new EventRing(MAX, 5);
  assert.deepEqual(ring.page(9, 5, 3), { events: [], next: 5, missed: true });
  assert.deepEqual(ring.page(null, 5, 3), { events: [], next: 5, missed: false });
});
