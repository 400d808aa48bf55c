import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiscoveryProtocol } from '#troupe/actors/discovery/protocol.js';
import { Probations } from '#troupe/actors/rebalancer/probations.js';
import type { Suspect } from '#troupe/core/cluster/quarantine.js';
import { LOG } from '../../simulation/node-settings.js';
import { Random } from '../../simulation/random.js';
import { useVirtualTime } from '../../simulation/virtual-globals.js';
import { VirtualTime } from '../../simulation/virtual-time.js';
import { refTo } from '../../support/ref.js';

const RULES = { deaths: 3, periodMs: 60_000 };
const UNIT = 'c/0';
const SUSPECT: Suspect = {
  unit: UNIT,
  generation: 1,
  deaths: [{ at: 0, process: 'p', livedMs: 1000, alone: false }],
};

test('that a task is cleared is said until the cluster knows it, as the word may get lost', async () => {
  const time = new VirtualTime();
  const giveBack = useVirtualTime(time, new Random(1));
  const cleared: number[] = [];
  const discovery = refTo<DiscoveryProtocol>({
    tell: {
      acquit: ({ unit, epoch }) => {
        assert.deepEqual({ unit, epoch }, { unit: UNIT, epoch: 7 });
        cleared.push(time.now);
      },
    },
  });
  const probations = new Probations(discovery, LOG, RULES);
  const runs = new Map([[UNIT, { epoch: 7 }]]);
  try {
    probations.watch(runs, new Map([[UNIT, SUSPECT]]));
    await time.runUntil(9_000, () => undefined);
    assert.deepEqual(cleared, []);
    await time.runUntil(19_000, () => undefined);
    assert.deepEqual(cleared, [10_000, 15_000]);
    probations.watch(runs, new Map());
    await time.runUntil(100_000, () => undefined);
    assert.equal(cleared.length, 2);
  } finally {
    giveBack();
  }
});
