import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coalesce, paceMs } from '#troupe/actors/coalesce.js';

test('a small cluster does not wait, a large one looks at many changes together', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  assert.equal(paceMs(60), 0);
  let items = 21_000;
  let looks = 0;
  const changed = coalesce(
    () => paceMs(items),
    () => {
      looks += 1;
    },
  );
  for (let i = 0; i < 100; i += 1) changed();
  t.mock.timers.tick(200);
  assert.equal(looks, 0);
  t.mock.timers.tick(10);
  assert.equal(looks, 1);
  items = 500;
  changed();
  t.mock.timers.tick(5);
  assert.equal(looks, 2);
});
