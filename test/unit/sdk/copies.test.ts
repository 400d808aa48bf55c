/** A plugin whose package carries a copy of the SDK of its own. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { toWireError } from '#troupe/actors/kernel/wire-error.js';
import * as sdk from '#troupe/sdk/index.js';

const folder = mkdtempSync(join(tmpdir(), 'troupe-copy-'));
const ours = fileURLToPath(new URL('.', import.meta.resolve('#troupe/sdk/index.js')));
cpSync(ours, folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
const copy = (await import(pathToFileURL(join(folder, 'index.js')).href)) as typeof sdk;
rmSync(folder, { recursive: true });

test('the copy is another module', () => {
  assert.notEqual(copy.Decimal, sdk.Decimal);
});

test('a Decimal of the copy is a Decimal, here and there', () => {
  const decimal = copy.Decimal.parse('12.50');
  assert.ok(decimal instanceof sdk.Decimal);
  assert.ok(sdk.Decimal.parse('1') instanceof copy.Decimal);
  sdk.validateValue(sdk.decimalSchema(2).build(), decimal);
  assert.ok(!({ unscaled: 1n, scale: 0 } instanceof sdk.Decimal));
});

test('an error of the copy is what it says, and no other', () => {
  const kinds = ['RetriableError', 'DataError', 'ConfigError', 'FatalError'] as const;
  for (const kind of kinds) {
    const error = new copy[kind]('no');
    assert.ok(error instanceof sdk.ConnectError);
    assert.deepEqual(
      kinds.filter((other) => error instanceof sdk[other]),
      [kind],
    );
    assert.equal(toWireError(error).final, kind === 'RetriableError' ? undefined : true);
  }
  assert.equal(sdk.asRetriable(new copy.RetriableError('later', { retryAfterMs: 7 }))?.retryAfterMs, 7);
});

test('a class that extends one of the SDK is told from its base', () => {
  class Mine extends sdk.DataError {}
  assert.ok(new Mine('no') instanceof Mine);
  assert.ok(new Mine('no') instanceof copy.DataError);
  assert.ok(!(new sdk.DataError('no') instanceof Mine));
});

test('a Secret of the copy is a Secret', () => {
  const secret = new copy.Secret('quiet');
  assert.ok(secret instanceof sdk.Secret);
  assert.equal(secret.reveal(), 'quiet');
});
