/** Secrets that a plugin provides: a vault that is a file, and asks for a token. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { writePackage } from '../unit/plugins/packages.js';
import { until } from '../support/wait.js';

const TOKEN = 'open-the-vault';

const VAULT = `
import { appendFileSync, readFileSync } from 'node:fs';
const key = (name, type) => ({ name, type, importance: 'HIGH', documentation: '' });
export default {
  type: 'config_provider',
  plugin: {
    version: '1.0.0',
    config: [key('file', 'STRING'), key('token', 'PASSWORD'), { ...key('ttl.ms', 'LONG'), defaultValue: null }],
    create: (config) => ({
      get: async (path, keys) => {
        const token = config.secret('token').reveal();
        if (token !== '${TOKEN}') throw new Error('the token ' + token + ' is wrong');
        appendFileSync(config.string('file') + '.asked', path + ' ' + [...keys].sort() + '\\n');
        if (path === 'hang') await new Promise(() => undefined);
        if (path === 'broken') throw new Error('the vault is sealed, ' + token);
        const all = JSON.parse(readFileSync(config.string('file'), 'utf8'));
        const values = Object.fromEntries(Object.entries(all[path] ?? {}).filter(([name]) => keys.includes(name)));
        return config.has('ttl.ms') ? { values, ttlMs: config.int('ttl.ms') } : { values };
      },
    }),
  },
};
`;

test('a connector gets what a plugin provides, is started anew with what it says later, and no other may use it', async (t) => {
  const dir = temporaryFolder();
  const vault = join(dir, 'vault.json');
  const set = (word: string): void => {
    writeFileSync(
      `${vault}.next`,
      JSON.stringify({ db: { word, other: 'second-word' }, private: { word: 'for-orders' } }),
    );
    renameSync(`${vault}.next`, vault);
  };
  set('first-secret');
  writePackage(
    join(dir, 'plugins', 'vault'),
    [{ class: 'example.VaultConfigProvider', type: 'config_provider', version: '1.0.0', module: 'vault.js' }],
    { 'vault.js': VAULT },
  );
  const node = await NodeProcess.create(dir, {
    'offset.flush.interval.ms': '200',
    pluginPaths: join(dir, 'plugins'),
    'config.providers': 'vault,closed',
    'config.providers.vault.class': 'example.VaultConfigProvider',
    'config.providers.vault.param.file': vault,
    'config.providers.vault.param.token': TOKEN,
    'config.providers.vault.param.ttl.ms': '1000',
    'config.providers.closed.class': 'VaultConfigProvider',
    'config.providers.closed.param.file': vault,
    'config.providers.closed.param.token': 'another-token',
    'config.providers.scopes': 'orders-*=vault:private',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  writeFileSync(input, 'one\n');
  const config = {
    'connector.class': 'FileSourceConnector',
    file: input,
    topic: 'lines',
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'false',
    transforms: 'h,w,o',
    'transforms.h.type': 'HoistField$Value',
    'transforms.h.field': 'line',
    'transforms.w.type': 'InsertField$Value',
    'transforms.w.static.field': 'word',
    'transforms.w.static.value': '${vault:db:word}',
    'transforms.o.type': 'InsertField$Value',
    'transforms.o.static.field': 'other',
    'transforms.o.static.value': '${vault:db:other}',
  };
  await node.run('out', { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output });
  await node.run('in', config);
  const written = (line: string): Promise<boolean> =>
    until(`there is ${line}`, () => {
      const content = contentOf(output)?.toString() ?? '';
      if (content.includes(line)) return true;
      throw new Error(content);
    });
  await written('{"line":"one","word":"first-secret","other":"second-word"}');
  // Both keys of the path at once.
  assert.match(readFileSync(`${vault}.asked`, 'utf8'), /^db other,word$/m);

  set('rotated-secret');
  await until('it has started anew', () => {
    appendFileSync(input, 'x\n');
    const content = contentOf(output)?.toString() ?? '';
    return content.includes('rotated-secret');
  });

  const errorsOf = async (name: string, value: string): Promise<string> => {
    const changed = { ...config, name, 'transforms.w.static.value': value };
    const { status, body } = await node.request('POST', '/connectors', { name, config: changed });
    assert.equal(status, 400, JSON.stringify(body));
    return JSON.stringify(body);
  };
  assert.match(
    await errorsOf('thief', '${vault:private:word}'),
    /config\.providers\.scopes keeps it for others/,
  );
  for (const path of [
    '/private',
    'private/',
    'x/../private',
    'priv%61te',
    'private?',
    ' private',
    './private',
  ])
    assert.match(await errorsOf('thief', `\${vault:${path}:word}`), /may not be used/, path);
  assert.match(await errorsOf('other', '${vault:db:none}'), /vault has no key none at db/);
  const sealed = await errorsOf('other', '${vault:broken:word}');
  assert.match(sealed, /the vault is sealed, \[hidden\]/);
  const refused = await errorsOf('other', '${closed:db:word}');
  assert.match(refused, /the token \[hidden\] is wrong/);
  await node.run('orders-eu', {
    ...config,
    file: join(dir, 'none'),
    'transforms.w.static.value': '${vault:private:word}',
  });

  for (const path of [
    '/connectors/in',
    '/connectors/in/tasks',
    '/connectors/in/status',
    '/connectors?expand=info',
    '/connector-plugins?connectorsOnly=false',
  ]) {
    const { body } = await node.request('GET', path);
    assert.doesNotMatch(
      JSON.stringify(body),
      /first-secret|rotated-secret|second-word|open-the-vault|config_provider/,
      path,
    );
  }
  assert.doesNotMatch(node.output, /first-secret|rotated-secret|second-word|open-the-vault|another-token/);
});
