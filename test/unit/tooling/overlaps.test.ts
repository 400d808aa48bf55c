import assert from 'node:assert/strict';
import test from 'node:test';
import type { Act } from '../../support/journal.js';
import { overlaps } from '../../support/overlaps.js';

const STOPPED = { pid: 1, from: 20, to: 100 };

test('the call that a suspension lay in counts as of its beginning, and the one after it does not', () => {
  const old = [act('old', 1, 0), act('old', 1, 10), act('old', 1, 101, 7), act('old', 1, 101, 8)];
  const heir = [act('heir', 2, 50), act('heir', 2, 200)];

  assert.equal(overlaps([...old, ...heir]).length, 1);
  assert.deepEqual(overlaps([...old, ...heir], [STOPPED]), []);
  assert.equal(overlaps([...old, ...heir, act('old', 1, 102)], [STOPPED]).length, 1);
});

test('an instance that begins after a suspension began then', () => {
  const acts = [act('other', 2, 50), act('other', 2, 60), act('new', 1, 101)];

  assert.deepEqual(overlaps(acts, [STOPPED]), []);
});

function act(instance: string, pid: number, at: number, offset = 0): Act {
  return { what: 'put', unit: 'out/0', pid, instance, at, queue: 0, offset, value: '' };
}
