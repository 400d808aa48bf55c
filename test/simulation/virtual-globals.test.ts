import assert from 'node:assert/strict';
import timers, { setTimeout as timeoutOfModule } from 'node:timers';
import { setImmediate as nextTurn, setInterval as ticks, setTimeout as sleep } from 'node:timers/promises';
import test from 'node:test';
import { Random } from './random.js';
import { useVirtualTime } from './virtual-globals.js';
import { VirtualTime } from './virtual-time.js';

test('time that code waits for by a promise passes in the simulation, and is given back after it', async () => {
  const time = new VirtualTime();
  const giveBack = useVirtualTime(time, new Random(1));
  const passed: string[] = [];
  try {
    const stop = new AbortController();
    const note = (what: string) => () => passed.push(`${what} at ${time.now}`);
    void sleep(20).then(note('sleep'));
    void nextTurn().then(note('turn'));
    void sleep(60_000, null, { signal: stop.signal }).catch(note('stopped sleep'));
    setTimeout(() => stop.abort(), 30);
    void sleep(60_000, null, { signal: AbortSignal.abort() }).catch(note('sleep told to stop before'));
    await time.runUntil(100_000, () => undefined);
  } finally {
    giveBack();
  }
  assert.deepEqual(passed, [
    'sleep told to stop before at 0',
    'turn at 0',
    'sleep at 20',
    'stopped sleep at 30',
  ]);
  assert.equal(await sleep(1, 'real'), 'real');
});

test('a wait that the simulation does not know fails instead of lasting for ever', () => {
  const giveBack = useVirtualTime(new VirtualTime(), new Random(1));
  const waits = [
    () => setImmediate(() => undefined),
    () => timeoutOfModule(() => undefined, 1),
    () => timers.setInterval(() => undefined, 1),
    () => ticks(1),
    () => AbortSignal.timeout(1),
  ];
  try {
    for (const wait of waits) assert.throws(wait, /the simulation has no/, wait.toString());
  } finally {
    giveBack();
  }
});
