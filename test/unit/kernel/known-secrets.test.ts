import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets, rememberSecrets } from '#troupe/actors/kernel/known-secrets.js';

/** No part of it is equal to another. */
const secret = Array.from({ length: 200 }, (_, i) => `k${String(i).padStart(3, '0')}`).join('');

/** The first piece of the secret in what is shown. */
function shownOf(text: string, max: number): string {
  const shown = hideSecrets(text, max);
  return shown.match(/(k\d{3})+/)?.[0] ?? '';
}

test('a long secret that stands in a text again and again is shown in no part, wherever the text is cut', () => {
  rememberSecrets([secret]);
  for (let max = 1; max <= 3 * secret.length; max += 7)
    for (const before of [0, 1, 250, 500])
      assert.equal(shownOf(`${'-'.repeat(before)}${secret.repeat(5)}`, max), '', `of ${max} characters`);
});
