import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { watchSecrets, type SecretWatchParts } from '#troupe/actors/task/secret-watch.js';
import { PluginSecrets } from '#troupe/actors/plugin-secrets.js';
import { resolveSecrets } from '#troupe/actors/secret-providers.js';
import { until } from '../../support/wait.js';

function watching(t: TestContext, more: Record<string, string> = {}, againMs = 2) {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-secret-watch-'));
  const ended = new AbortController();
  t.after(() => {
    ended.abort();
    rmSync(dir, { recursive: true });
  });
  const file = join(dir, 'a.properties');
  const set = (text: string): void => {
    writeFileSync(`${file}.next`, text);
    renameSync(`${file}.next`, file);
  };
  set('password=one\n');
  const secretProviders = { env: [], folders: [dir], scopes: [] };
  const written = { password: `\${file:${file}:password}`, ...more };
  const { config } = resolveSecrets('c', written, secretProviders);
  const warned: unknown[] = [];
  let restarts = 0;
  // What it uses of the context of a task's actor.
  const context = {
    log: { info: () => undefined, warn: (fields: object) => warned.push(fields) },
    passivate: (memo: unknown) => {
      assert.equal(memo, null);
      restarts += 1;
    },
    signal: ended.signal,
    params: { unit: 'c/0', config, settings: { secretProviders } },
  } as unknown as SecretWatchParts['context'];
  const secrets = new PluginSecrets(secretProviders, () => assert.fail('no plugin is asked'), true);
  watchSecrets({ context, written, secrets, lookMs: 2, againMs });
  return { file, set, warned, restarts: () => restarts };
}

test('a task starts anew, once, when a file that it refers to says something else', async (t) => {
  const { file, set, warned, restarts } = watching(t);
  // What it says of other keys, or when it was written, is no matter.
  set('password=one\nother=2\n');
  utimesSync(file, 1, 1);
  set('pass');
  await until('it is warned', () => warned.length > 0);
  assert.equal(restarts(), 0);
  set('password=two\n');
  await until('it starts anew', () => restarts() === 1);
  assert.equal(warned.length, 1, 'said once');
});

test('a value counts when it is said twice: it may be half of one that is being written', async (t) => {
  const never = 3_600_000;
  const [once, twice] = [watching(t, {}, never), watching(t)];
  for (const { set } of [once, twice]) set('password=two\n');
  await until('the other starts anew', () => twice.restarts() === 1);
  assert.equal(once.restarts(), 0);
});

test('a task that is not to be started anew, or refers to no file, is let alone', async (t) => {
  const none = watching(t, { 'config.action.reload': 'none' });
  const other = watching(t);
  none.set('password=two\n');
  other.set('password=two\n');
  await until('the other starts anew', () => other.restarts() === 1);
  assert.equal(none.restarts(), 0);
});
