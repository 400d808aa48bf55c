import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AckLedger } from '#troupe/core/progress/ack-ledger.js';

test('what is committed is the acknowledged prefix, each once and in order, however acknowledgements come', () => {
  const step = fc.oneof(
    fc.constant({ do: 'send' as const }),
    fc.record({ do: fc.constant('ack' as const), pick: fc.nat() }),
    fc.constant({ do: 'take' as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ledger = new AckLedger<number>();
      const acked: boolean[] = [];
      const tokens: number[] = [];
      let taken = 0;
      for (const each of steps) {
        const prefix = acked.indexOf(false) < 0 ? acked.length : acked.indexOf(false);
        if (each.do === 'send') {
          tokens.push(ledger.sent(acked.length));
          acked.push(false);
        } else if (each.do === 'ack') {
          const index = each.pick % Math.max(1, acked.length);
          const token = tokens[index];
          if (token === undefined) continue;
          ledger.acked(token);
          acked[index] = true;
        } else {
          const expected = Array.from({ length: prefix - taken }, (_, i) => taken + i);
          assert.deepEqual(ledger.takeCommittable(), expected);
          taken = prefix;
        }
        const now = acked.indexOf(false) < 0 ? acked.length : acked.indexOf(false);
        assert.equal(ledger.pending, acked.length - now);
      }
    }),
  );
});

test('an acknowledgement of what was never sent is a mistake', () => {
  const ledger = new AckLedger<string>();
  ledger.sent('a');
  assert.throws(() => ledger.acked(1), RangeError);
});

test('a million in flight are taken in one sweep', () => {
  const ledger = new AckLedger<number>();
  const tokens = Array.from({ length: 1_000_000 }, (_, i) => ledger.sent(i));
  for (const token of tokens.reverse()) ledger.acked(token);
  assert.equal(ledger.takeCommittable().length, 1_000_000);
  assert.equal(ledger.pending, 0);
});
