import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLease, leaseLeftMs, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';

test('who writes is told when the lease is lost, and not while it is renewed', async (t) => {
  let now = 1000;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(process, 'hrtime', () => [0, now * 1e6]);
  const pass = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  const lease = createLease();
  const gate = new Gate(lease, new AbortController().signal);
  renewLease(lease, monotonicMs() + 30);
  await gate.whileLeased(async ({ holds, signal }) => {
    assert.equal(holds(), true);
    pass(20);
    renewLease(lease, monotonicMs() + 150);
    pass(140);
    assert.equal(signal.aborted, false);
    assert.equal(holds(), true);
    pass(20);
    assert.equal(signal.aborted, true);
    assert.ok(leaseLeftMs(lease) <= 0);
    assert.equal(holds(), false);
    assert.match(String(signal.reason), /lost its lease/);
  });
});

test('without a lease it is over from the beginning', async () => {
  const gate = new Gate(createLease(), new AbortController().signal);
  const aborted = await gate.whileLeased(({ signal }) => Promise.resolve(signal.aborted));
  assert.equal(aborted, true);
});
