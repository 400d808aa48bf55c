import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_METRICS_BYTES } from '#troupe/actors/kernel/metrics-chunk.js';
import { MetricsLedger } from '#troupe/supervisor/metrics-ledger.js';

function restartsOf(ledger: MetricsLedger, id: string): number | undefined {
  return ledger.since(0).changed.find((each) => each.id === id)?.restarts;
}

test('an actor that was told to stop and starts again has not restarted, one that failed has', () => {
  const ledger = new MetricsLedger();
  ledger.begin('a/0');
  ledger.ended('a/0', false);
  ledger.begin('a/0');
  assert.equal(restartsOf(ledger, 'a/0'), 0);
  ledger.ended('a/0', true);
  assert.equal(restartsOf(ledger, 'a/0'), 0, 'it is down');
  ledger.begin('a/0');
  ledger.ended('a/0', false);
  ledger.begin('a/0');
  assert.equal(restartsOf(ledger, 'a/0'), 1);
});

test('an actor has no more memory than it may', () => {
  const ledger = new MetricsLedger();
  ledger.begin('a/0');
  for (let i = 0; i < 3; i += 1) ledger.add('a/0', new SharedArrayBuffer(MAX_METRICS_BYTES / 2));
  ledger.add('unknown/0', new SharedArrayBuffer(8));
  ledger.ended('a/0', false);
  assert.equal(ledger.begin('a/0').chunks.length, 2);
});

test('of actors that have no thread those are forgotten first that have had none for longest', () => {
  const ledger = new MetricsLedger();
  const ids = Array.from({ length: 130 }, (_, i) => `c/${i}`);
  for (const id of ids) {
    ledger.begin(id);
    ledger.add(id, new SharedArrayBuffer(MAX_METRICS_BYTES));
  }
  const { version } = ledger.since(0);
  for (const id of [...ids].reverse()) ledger.ended(id, false);
  const kept = ledger.since(version);
  assert.ok(kept.version > version);
  assert.deepEqual(new Set(kept.ids), new Set(ids.slice(0, 128)));
  const again = ledger.begin('c/129');
  assert.deepEqual(again.chunks, []);
  const born = ledger.since(0).changed.find(({ id }) => id === 'c/129')?.born;
  assert.equal(born, again.life, 'it is another one, and who reads it must begin anew');
});
