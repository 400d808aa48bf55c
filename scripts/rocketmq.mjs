/** `npm run rocketmq`: a RocketMQ 5 on this machine, to try a cluster with. Runs until Ctrl-C. See docs/rocketmq.md. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { busyPort } from '../dist/test/support/ports.js';
import { brokerPorts } from '../dist/test/support/rocketmq-ports.js';
import {
  RocketMq,
  rocketmqAvailable,
  rocketmqJars,
  ROCKETMQ_FOLDER,
  ROCKETMQ_VERSIONS,
} from '../dist/test/support/rocketmq.js';

const HELP = `npm run rocketmq -- [options]
Starts RocketMQ 5 on this machine: a name server, a broker and the gRPC proxy. Needs Java 17 or newer, and Maven for
the first start, which downloads 100 MB. Ctrl-C stops it; the data stays.

  --version <5.x.y>              default ${ROCKETMQ_VERSIONS.oldest}; tested with ${Object.values(ROCKETMQ_VERSIONS).join(' and ')}
  --dir <folder>                 data, configuration and logs; default .rocketmq/data
  --brokers <1..4>               masters; with more than one the proxy runs in a process of its own; default 1
  --namesrv-port <port>          default 9876
  --broker-port <port>           of the first broker, the next ones 10 higher; default 10911. A broker also takes
                                 the port two below and the one above
  --grpc-port <port>             default 8081
  --remoting-proxy-port <port>   the proxy's port for RocketMQ 4's protocol; default 8080
  --sync-flush                   acknowledge a message when it is on the disk
  --acl <accessKey:secretKey>    let only this user in; the data keeps the user: another one needs another --dir
  -h, --help
`;

let failed = false;
const cancel = new AbortController();
/** @type {RocketMq | null} */
let rocketmq = null;
let stopping = null;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop());
try {
  await main();
} catch (error) {
  if (stopping === null) fail(error.message);
}
if (failed) await stop();

async function main() {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: ROCKETMQ_VERSIONS.oldest },
      dir: { type: 'string', default: join(ROCKETMQ_FOLDER, 'data') },
      brokers: { type: 'string', default: '1' },
      'namesrv-port': { type: 'string', default: '9876' },
      'broker-port': { type: 'string', default: '10911' },
      'grpc-port': { type: 'string', default: '8081' },
      'remoting-proxy-port': { type: 'string', default: '8080' },
      'sync-flush': { type: 'boolean', default: false },
      acl: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const { version } = values;
  if (!/^5\.\d+\.\d+$/.test(version))
    throw new Error(`--version ${version}: a release of RocketMQ 5 is needed`);
  const acl = credentials(values.acl);
  const ports = await freePorts(values);
  const missing = rocketmqAvailable(version);
  if (missing !== null) throw new Error(missing);
  const jars = await rocketmqJars(version, console.log, cancel.signal);
  const dir = resolve(values.dir);
  mkdirSync(dir, { recursive: true });
  rocketmq = new RocketMq(jars, dir, ports, {
    dir,
    acl,
    syncFlush: values['sync-flush'],
    onProgress: console.log,
    onDeath: (dead) => {
      fail(`${dead.name} ended (${dead.ended}). The end of ${dead.log}:\n${dead.lastLines()}`);
      void stop();
    },
  });
  await rocketmq.start();
  console.log(ready(version, dir, jars, ports, acl));
}

function ready(version, dir, jars, ports, acl) {
  const lines = acl === undefined ? {} : { aclEnable: true, ...acl };
  const settings = { namesrvAddr: rocketmq.namesrvAddr, 'rocketmq.endpoints': rocketmq.endpoints, ...lines };
  const tool = rocketmq.adminArgs(['clusterList']).map((part) => (/[*$ ]/.test(part) ? `'${part}'` : part));
  return `
RocketMQ ${version} is ready. For conf/connect.conf:

${Object.entries(settings)
  .map(([key, value]) => `  ${key}=${value}`)
  .join('\n')}

Its own tool:  ROCKETMQ_HOME=${dir} java ${tool.join(' ')}
Data and logs: ${dir}/<process>/store and …/logs/rocketmqlogs
Processes:     ${rocketmq.processes.map(({ name, pid }) => `${name} ${pid}`).join(', ')}
Open to other machines, as RocketMQ cannot be told otherwise: ports ${[ports.grpc, ports.remotingProxy, ...ports.brokers.map((port) => port + 1)].join(', ')}
Ctrl-C stops it.`;
}

/** Those that were asked for; none may be in use. */
async function freePorts(values) {
  const count = number('brokers', values.brokers, 1, 4);
  const port = (option) => number(option, values[option], 3, 65_500);
  const first = port('broker-port');
  const ports = {
    nameServer: port('namesrv-port'),
    brokers: Array.from({ length: count }, (_, at) => first + 10 * at),
    grpc: port('grpc-port'),
    remotingProxy: port('remoting-proxy-port'),
  };
  const options = [
    ['namesrv-port', [ports.nameServer]],
    ['broker-port', ports.brokers.flatMap(brokerPorts)],
    ['grpc-port', [ports.grpc]],
    ['remoting-proxy-port', [ports.remotingProxy]],
  ];
  const seen = new Set();
  for (const [option, wanted] of options) {
    const busy = wanted.find((one) => seen.has(one)) ?? (await busyPort(wanted));
    if (busy !== null) throw new Error(`port ${busy} is in use: choose another one with --${option}`);
    for (const one of wanted) seen.add(one);
  }
  return ports;
}

function number(option, text, min, max) {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${option} ${text}: a number from ${min} to ${max} is needed`);
}

function credentials(text) {
  if (text === undefined) return undefined;
  const [, accessKey, secretKey] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (secretKey === undefined) throw new Error('--acl needs accessKey:secretKey');
  return { accessKey, secretKey };
}

function fail(message) {
  console.error(message);
  failed = true;
  process.exitCode = 1;
}

/** Ends what was started, the broker before the name server; asked again (npm passes Ctrl-C on) it goes on with that. */
function stop() {
  stopping ??= (async () => {
    cancel.abort();
    if (rocketmq === null) return;
    console.log('stopping, which takes RocketMQ some seconds');
    await rocketmq.stop();
  })();
  return stopping;
}
