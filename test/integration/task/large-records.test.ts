import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import type { Tolerance } from '#troupe/core/tolerance.js';
import type { Log } from '#troupe/log/log.js';
import { sourceRecord } from '#troupe/sdk/record.js';
import { pollOnce, valuesOf } from './source-on-log.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';

const MEGA = 1024 * 1024;

/** A source that polls these texts at once. */
function moved(t: TestContext, texts: readonly string[], tolerance: Tolerance): Promise<Log> {
  const poll = () =>
    texts.map((value, at) => sourceRecord({ value, sourcePartition: {}, sourcePosition: { read: at + 1 } }));
  return pollOnce(t, { poll, begun: [] }, tolerance);
}

test('text whose characters take three bytes never makes a batch that the log refuses', async (t) => {
  const wide = Array.from({ length: 40 }, (_, i) => `${i} ${'한'.repeat(MEGA / 2)}`);
  const narrow = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(MEGA)}`);
  const texts = wide.flatMap((text, i) => [text, narrow[i] ?? '']);
  const log = await moved(t, texts, DEFAULT_TOLERANCE);
  const found = await valuesOf(log, 'texts');
  assert.equal(found.length, texts.length);
  assert.ok(
    found.every((text, i) => text === texts[i]),
    'each text once, in order',
  );
  assert.equal((await valuesOf(log, 'positions')).at(-1), `{"read":${texts.length}}`);
});

test('a record that no batch can hold fails its task by name, or is skipped where that is tolerated', async (t) => {
  const texts = ['before', '한'.repeat(11 * MEGA), 'behind'];
  await assert.rejects(moved(t, texts, DEFAULT_TOLERANCE), { code: 'RECORD_TOO_LARGE', name: 'DataError' });

  const log = await moved(t, texts, { ...DEFAULT_TOLERANCE, tolerance: 'all' });
  assert.deepEqual(await valuesOf(log, 'texts'), ['before', 'behind']);
  assert.equal((await valuesOf(log, 'positions')).at(-1), '{"read":3}');
});
