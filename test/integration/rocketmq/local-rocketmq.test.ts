import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';
import { busyPort } from '../../support/ports.js';
import { brokerPorts, freeRocketMqPorts, type RocketMqPorts } from '../../support/rocketmq-ports.js';
import {
  requireService,
  ROCKETMQ_VERSIONS,
  rocketmqAvailable,
  startRocketMq,
} from '../../support/rocketmq.js';
import { isRegistered } from '../../support/rocketmq-remoting.js';
import { until } from '../../support/wait.js';

const SUPPORT = new URL('../../support/rocketmq.js', import.meta.url).href;
const SCRIPT = fileURLToPath(
  new URL('../scripts/rocketmq.mjs', import.meta.resolve('#troupe/supervisor.js')),
);
const skip = requireService(Object.values(ROCKETMQ_VERSIONS).map(rocketmqAvailable).find(Boolean) ?? null);

for (const version of Object.values(ROCKETMQ_VERSIONS)) {
  test(
    `a broker of RocketMQ ${version} that was killed and started is found again`,
    {
      skip,
    },
    async (t) => {
      const rocketmq = await startRocketMq({ version });
      t.after(() => rocketmq.stop());
      const brokers = async (): Promise<string[]> =>
        (await rocketmq.admin(['clusterList'])).match(/broker-\w+/g) ?? [];
      assert.deepEqual(await brokers(), ['broker-a']);
      await rocketmq.admin(['updateTopic', '-t', 'kept', '-c', 'DefaultCluster']);

      await rocketmq.killBroker();
      assert.throws(() => rocketmq.brokerPid, /not running/);
      await until(
        'the name server has dropped the broker',
        async () => !(await isRegistered(rocketmq.ports.nameServer, 'broker-a')),
      );

      await rocketmq.startBroker();
      assert.deepEqual(await brokers(), ['broker-a']);
      assert.match(await rocketmq.admin(['topicList']), /^kept$/m);
      await assert.rejects(rocketmq.admin(['topicStatus', '-t', 'never-created']), /never-created/);
    },
  );
}

test('a test process that is killed leaves no Java process behind', { skip }, async (t) => {
  const { dir, ports, run } = await scene(t, 0);
  const options = JSON.stringify({ dir, ports, proxy: 'none' });
  const { child, output } = run([
    '--input-type=module',
    '-e',
    `const { startRocketMq } = await import(${JSON.stringify(SUPPORT)}); await startRocketMq(${options}); console.log('serves');`,
  ]);
  await until('the name server serves', () => output().includes('serves'), 60_000);
  assert.equal(await busyPort([ports.nameServer]), ports.nameServer);

  child.kill('SIGKILL');
  await until('nothing listens any more', async () => (await busyPort([ports.nameServer])) === null);
});

test(
  'npm run rocketmq tells what to configure, and stops what it started on SIGTERM',
  { skip },
  async (t) => {
    const { ports, runScript } = await scene(t, 1);
    const { child, output } = runScript();
    await ready(output);
    assert.match(output(), new RegExp(`^  namesrvAddr=127\\.0\\.0\\.1:${ports.nameServer}$`, 'm'));
    assert.match(output(), new RegExp(`^  rocketmq\\.endpoints=127\\.0\\.0\\.1:${ports.grpc}$`, 'm'));

    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.equal(await busyPort(allOf(ports)), null);
  },
);

test('npm run rocketmq ends with an error when one of its processes dies', { skip }, async (t) => {
  const { ports, runScript } = await scene(t, 1);
  const { child, output } = runScript();
  await ready(output);

  process.kill(Number(/broker-a (\d+)/.exec(output())?.[1]), 'SIGKILL');
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(output(), /broker-a ended \(SIGKILL\).*console\.log/);
  assert.equal(await busyPort(allOf(ports)), null);
});

test('npm run rocketmq names a port that is in use, and the option that chooses another', async (t) => {
  const { ports, runScript } = await scene(t, 1);
  const other = createServer().listen(ports.grpc, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const { child, output } = runScript();
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(output(), new RegExp(`${ports.grpc} is in use: .*--grpc-port`));
});

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
}

interface Scene {
  readonly dir: string;
  readonly ports: RocketMqPorts;
  readonly run: (args: readonly string[]) => Run;
  readonly runScript: () => Run;
}

/** A folder and ports, for one process that starts a RocketMQ; all are gone after the test. */
async function scene(t: TestContext, brokers: number): Promise<Scene> {
  const dir = temporaryFolder();
  const ports = await freeRocketMqPorts(brokers);
  const run = (args: readonly string[]): Run => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (data: string) => (text += data));
    t.after(async () => {
      child.kill('SIGKILL');
      await until('its ports are free', async () => (await busyPort(allOf(ports))) === null);
      removeFolder(dir);
    });
    return { child, output: () => text };
  };
  const flags = {
    dir,
    'namesrv-port': ports.nameServer,
    'broker-port': ports.brokers[0],
    'grpc-port': ports.grpc,
    'remoting-proxy-port': ports.remotingProxy,
  };
  const runScript = (): Run =>
    run([SCRIPT, ...Object.entries(flags).map(([name, value]) => `--${name}=${String(value)}`)]);
  return { dir, ports, run, runScript };
}

async function ready(output: () => string): Promise<void> {
  await until('RocketMQ is ready', () => output().includes('Ctrl-C stops it'), 120_000);
}

function allOf({ nameServer, brokers, grpc, remotingProxy }: RocketMqPorts): number[] {
  return [nameServer, ...brokers.flatMap(brokerPorts), grpc, remotingProxy];
}
