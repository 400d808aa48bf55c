import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { validateConnector } from '#troupe/plugins/validate-connector.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { pluginPackage } from '../../support/plugin-package.js';

const dir = mkdtempSync(join(tmpdir(), 'troupe-test-'));
after(() => rmSync(dir, { recursive: true }));
const shareable = { class: 'ShareableSink', type: 'sink', module: '../support/shareable-sink.js' };
const catalog = discoverPlugins([pluginPackage(dir, shareable)]);

async function errorsOf(connector: string, sharing: boolean, mode = 'shared'): Promise<readonly string[]> {
  const raw = {
    name: 'n',
    'connector.class': connector,
    topics: 't',
    file: join(dir, 'f'),
    'consume.mode': mode,
  };
  const { configs } = await validateConnector(raw, catalog, { sharing });
  return configs.find(({ value }) => value.name === 'consume.mode')?.value.errors ?? [];
}

test('a shared sink is refused by a node whose log has no shared groups', async () => {
  const [error] = await errorsOf('ShareableSink', false);
  assert.match(error ?? '', /namesrvAddr and rocketmq\.endpoints/);
});

test('a shared sink is refused where its connector needs order or offsets', async () => {
  const [error] = await errorsOf('FileSinkConnector', true);
  assert.match(error ?? '', /take queue/);
});

test('a shared sink is accepted where the connector and the log allow it, and queue everywhere', async () => {
  assert.deepEqual(await errorsOf('ShareableSink', true), []);
  assert.deepEqual(await errorsOf('FileSinkConnector', false, 'queue'), []);
  assert.match((await errorsOf('ShareableSink', true, 'both'))[0] ?? '', /queue, shared/);
});
