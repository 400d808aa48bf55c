import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadParameters, type LoadResult } from '#troupe/core/parameters/parameters.js';

const load = (...settings: string[]): LoadResult =>
  loadParameters({
    argv: settings.flatMap((setting) => ['--set', setting]),
    env: {},
    readFile: () => '',
    cwd: '/',
  });

test('a provider has its class and what it is to be given, which is not shown', () => {
  const loaded = load(
    'config.providers=vault',
    'config.providers.vault.class=acme.Vault',
    'config.providers.vault.param.token=hunter2',
    'config.providers.vault.param.http.url=http://v',
    'config.providers.scopes=orders-*=vault:db',
  );
  assert.ok(loaded.ok && loaded.action === 'run');
  assert.deepEqual(loaded.parameters.providerSettings, [
    { name: 'vault', pluginClass: 'acme.Vault', params: { token: 'hunter2', 'http.url': 'http://v' } },
  ]);
  const shown = loaded.given.find(({ key }) => key === 'config.providers.vault.param.token');
  assert.equal(shown?.text, '[hidden]');
  assert.doesNotMatch(JSON.stringify(loaded.given), /hunter2/);
});

test('the providers of the node itself may be named as Kafka names them', () => {
  const loaded = load(
    'config.providers=file,env',
    'config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider',
  );
  assert.ok(loaded.ok && loaded.action === 'run');
  assert.deepEqual(loaded.parameters.providerSettings, []);
});

test('what is wrong with providers is told at the start, without values', () => {
  for (const [settings, words] of [
    [['config.providers=vault'], /give config\.providers\.vault\.class/],
    [['config.providers.vault.class=X'], /config\.providers does not name vault/],
    [
      ['config.providers=v', 'config.providers.v.class=X', 'config.providers.w.param.token=hunter2'],
      /does not name w/,
    ],
    [['config.providers=file', 'config.providers.file.class=acme.X'], /give the plugin another name/],
    [['config.providers=f', 'config.providers.f.class=FileConfigProvider'], /whose name is file/],
    [['config.providers=env', 'config.providers.env.param.x=hunter2'], /see config\.providers\.env\.allow/],
    [['config.providers=a b', 'config.providers.scopes='], /letters, digits/],
    [['config.providers.scopes=orders=vault:db'], /nor connector=NAME:path of a plugin/],
  ] as const) {
    const loaded = load(...settings);
    assert.ok(!loaded.ok, settings.join());
    assert.match(loaded.errors.join('\n'), words);
    assert.doesNotMatch(loaded.errors.join('\n'), /hunter2/);
  }
});
