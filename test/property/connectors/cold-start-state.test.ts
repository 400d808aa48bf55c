import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EntryMeta } from '#troupe/core/replica/machine.js';
import {
  isNewer,
  restoreEntries,
  type CopyOrigin,
  type RestoreEntry,
} from '#troupe/core/connectors/cold-start-state.js';
import { savedConfigs, savedPositions } from '#troupe/core/connectors/saved-states.js';
import { random } from '../../support/random.js';

const meta = (offset: number): EntryMeta => ({
  offset,
  timestamp: 5,
  writer: { node: 'n', incarnation: 'i' },
});

function connector(name: string): { name: string; config: Record<string, string>; targetState: 'RUNNING' } {
  return { name, config: { filler: 'x'.repeat(200_000) }, targetState: 'RUNNING' };
}

/** What the copy of an origin holds: two parts, and its name tells the origin. */
function copyOf(origin: CopyOrigin): RestoreEntry[] {
  const entries = restoreEntries(
    origin,
    ['1', '2'].map((n) => connector(`${origin.life}-${origin.offset}-${n}`)),
  );
  assert.equal(entries.length, 2);
  return entries;
}

test('of copies that come in any order and in pieces, the newest that is whole wins', (t) => {
  const { seed, next: int } = random();
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 60; round += 1) {
    const origins = Array.from({ length: 1 + int(4) }, () => ({ life: int(3), offset: int(4) }));
    const torn = new Set(origins.filter(() => int(10) < 3).map(({ life, offset }) => `${life}/${offset}`));
    const isTorn = ({ life, offset }: CopyOrigin): boolean => torn.has(`${life}/${offset}`);
    const entries = origins
      .flatMap((origin) => copyOf(origin).slice(0, isTorn(origin) ? 1 : 2))
      .map((entry) => ({ entry, at: int(1000) }))
      .sort((a, b) => a.at - b.at);
    let state = savedConfigs.initial();
    for (const [offset, { entry }] of entries.entries()) {
      ({ state } = savedConfigs.apply(state, entry, meta(offset)));
      if (int(10) < 3) {
        const copy = savedConfigs.decodeSnapshot([...savedConfigs.encodeSnapshot(state)]);
        assert.ok(copy !== null);
        assert.equal(savedConfigs.digest(copy), savedConfigs.digest(state), `seed ${seed}`);
        state = copy;
      }
    }
    const best = origins.filter((origin) => !isTorn(origin)).sort((a, b) => (isNewer(a, b) ? -1 : 1))[0];
    const names = best === undefined ? [] : ['1', '2'].map((n) => `${best.life}-${best.offset}-${n}`);
    assert.deepEqual([...state.inner.connectors.keys()], names, `seed ${seed}`);
    assert.equal(state.life, best === undefined ? 0 : best.life + 1);
  }
});

test('once anything else was written, no copy counts', () => {
  let state = savedConfigs.initial();
  const say = (entry: Parameters<typeof savedConfigs.apply>[1], offset: number): void => {
    ({ state } = savedConfigs.apply(state, entry, meta(offset)));
  };
  for (const entry of copyOf({ life: 1, offset: 5 })) say(entry, 0);
  say({ type: 'DELETE', name: '1-5-1' }, 1);
  for (const entry of copyOf({ life: 9, offset: 900 })) say(entry, 2);
  assert.deepEqual([...state.inner.connectors.keys()], ['1-5-2']);
});

test('a new owner of a task goes on from a position that came from a file, whatever its epoch', () => {
  let state = savedPositions.initial();
  const item = { partition: { file: 'a' }, position: { line: 7 } };
  for (const entry of restoreEntries({ life: 0, offset: 9 }, [{ connector: 'c', item }]))
    ({ state } = savedPositions.apply(state, entry, meta(0)));
  const { result } = savedPositions.apply(state, { type: 'FENCE', unit: 'c/0', epoch: 1 }, meta(1));
  assert.equal(result?.ok, true);
  assert.deepEqual(
    [...(state.inner.connectors.get('c')?.items.values() ?? [])].map((found) => found.item),
    [item],
  );
  assert.equal(
    savedPositions.decode({
      type: 'RESTORE',
      origin: { life: 0, offset: 1 },
      part: 0,
      of: 1,
      items: [{ connector: 'c', item: 5 }],
    }),
    null,
  );
});
