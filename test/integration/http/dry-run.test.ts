import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { freePort } from '../../support/ports.js';
import { writePackage } from '../../unit/plugins/packages.js';

const CONNECTS = `
  import { connect } from 'node:net';
  import { once } from 'node:events';
  const key = (name, type) => ({ name, type, importance: 'HIGH', documentation: 'd' });
  export default { type: 'sink', plugin: {
    kind: 'sink', version: '1', config: [key('port', 'INT'), key('pin', 'PASSWORD')],
    taskConfigs: (context, config, raw) => [raw], createTask: () => ({}),
    async connect({ signal }, config) {
      const socket = connect(config.int('port'), '127.0.0.1');
      try {
        await once(socket, 'connect', { signal });
      } catch (error) {
        throw new Error(\`with \${config.secret('pin').reveal()}: \${error.message}\`);
      } finally {
        socket.destroy();
      }
      return [];
    },
  } };`;

test('a dry run over REST really connects, says whether it did, and quotes no password', async (t) => {
  const dir = temporaryFolder();
  writePackage(join(dir, 'p'), [{ class: 'Connects', type: 'sink', version: '1', module: 'index.js' }], {
    'index.js': CONNECTS,
  });
  const node = await NodeProcess.create(dir, { pluginPaths: join(dir, 'p') });
  const server = createServer((socket) => socket.resume());
  t.after(async () => {
    server.close();
    await node.kill();
    removeFolder(dir);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await node.start();
  const validate = (config: Record<string, string>, query = '?dry_run=true', plugin = 'Connects') =>
    node.request('PUT', `/connector-plugins/${plugin}/config/validate${query}`, { name: 'c', ...config });
  const good = { topics: 't', pin: 'hunter-4711', port: String((server.address() as AddressInfo).port) };

  const passed = await validate(good);
  assert.equal((passed.body as { dry_run: string }).dry_run, 'PASSED', JSON.stringify(passed.body));
  const failed = await validate({ ...good, port: String(await freePort()) });
  assert.match(
    JSON.stringify(failed.body),
    /"error_count":1,"dry_run":"FAILED".*with \[hidden\]: .*ECONNREFUSED/,
  );
  assert.doesNotMatch(JSON.stringify(failed.body), /hunter-4711/);
  const bad = await validate({ ...good, port: 'x' });
  assert.match(JSON.stringify(bad.body), /"dry_run":"SKIPPED"/);
  const file = await validate({ topics: 't', file: join(dir, 'out') }, '?dry_run=true', 'FileSink');
  assert.match(JSON.stringify(file.body), /"error_count":0,"dry_run":"NOT_SUPPORTED"/);
  const plain = await validate({ ...good, port: String(await freePort()) }, '');
  assert.doesNotMatch(JSON.stringify(plain.body), /dry_run|ECONNREFUSED/);
});
