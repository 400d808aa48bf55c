import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveSecrets } from '#troupe/actors/secret-providers.js';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { folder, write } from '../plugins/packages.js';

process.env['TROUPETEST_ORDERS_PASSWORD'] = 'of-orders';
process.env['TROUPETEST_SHARED'] = 'of-all';

test('a variable that a scope names is for its connectors alone, in any key, and others are for all', () => {
  const providers = {
    env: ['TROUPETEST_*'],
    folders: [],
    scopes: ['orders-*=env:TROUPETEST_ORDERS_*', 'audit=env:TROUPETEST_ORDERS_PASSWORD'],
  };
  const read = (connector: string, reference: string) =>
    resolveSecrets(connector, { topic: reference }, providers);
  const scoped = '${env:TROUPETEST_ORDERS_PASSWORD}';
  for (const connector of ['orders-eu', 'audit']) {
    assert.equal(read(connector, scoped).config['topic'], 'of-orders');
  }
  const { problems, config, secrets } = read('thief', scoped);
  assert.match(problems[0]?.reason ?? '', /may not be used by this connector: config\.providers\.scopes/);
  assert.equal(config['topic'], scoped);
  assert.equal(secrets.size, 0);
  assert.equal(read('thief', '${env:TROUPETEST_SHARED}').config['topic'], 'of-all');
});

test('a file that a scope names is for its connectors alone, by whatever link it is reached', (t) => {
  const dir = folder(t);
  write(join(dir, 'real', 'db.properties'), 'key=of-orders\n');
  symlinkSync(join(dir, 'real'), join(dir, 'orders'));
  symlinkSync(join(dir, 'real', 'db.properties'), join(dir, 'link.properties'));
  const providers = { env: [], folders: [dir], scopes: [`orders=file:${join(dir, 'orders')}/`] };
  for (const path of ['orders/db.properties', 'real/db.properties', 'link.properties']) {
    const config = { key: `\${file:${join(dir, path)}:key}` };
    assert.deepEqual(resolveSecrets('orders', config, providers).config, { key: 'of-orders' }, path);
    assert.equal(resolveSecrets('thief', config, providers).problems.length, 1, path);
  }
});

test('a scope that is not of the form is refused at the start', () => {
  const loaded = loadParameters({
    argv: ['--set', 'config.providers.scopes=orders:DB_PASSWORD'],
    env: {},
    readFile: () => '',
    cwd: '/',
  });
  assert.match(JSON.stringify(loaded), /neither connector=env:NAME nor connector=file/);
});
