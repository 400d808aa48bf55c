import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { ERRORS } from '#troupe/http/errors.js';
import { createRouter } from '#troupe/http/routes/router.js';
import { SecretRules } from '#troupe/http/secrets.js';
import { InMemoryRuntime } from '../../integration/http/in-memory-runtime.js';

/** From dist/test/unit/http/. */
const docs = await readFile(new URL('../../../../docs/rest.md', import.meta.url), 'utf8');

test('docs/rest.md has a row for every code, with its status and meaning, and for no other', () => {
  const rows = docs.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \| (.+?) \|$/gm);
  const documented = [...rows].map(([, code, status, meaning]) => `${code} ${status} ${meaning}`).sort();
  const defined = Object.entries(ERRORS).map(([code, { status, meaning }]) => `${code} ${status} ${meaning}`);
  assert.deepEqual(documented, defined.sort());
});

test('docs/rest.md has every route', () => {
  const runtime = new InMemoryRuntime();
  const router = createRouter({
    runtime,
    secrets: new SecretRules(runtime, {}),
    maxBodyBytes: 1,
    legacy: true,
  });
  const documented = docs.replaceAll(/\{[a-z]+\}/g, '{}');
  const missing = router.stack
    .map(({ path }) => String(path).replaceAll(/:\w+/g, '{}'))
    .filter((path) => !documented.includes(path));
  assert.deepEqual(missing, []);
});
