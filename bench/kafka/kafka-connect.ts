// The comparison side of the benchmark: the same work on a Kafka Connect standalone worker and one KRaft broker.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TopicEnd, compare, sizeOf } from './far-end.js';
import { freePorts, javaAndMaven, run, startJvm, until } from './jvm.js';
import type { Jvm } from './jvm.js';

export type Settings = Readonly<Record<string, string | number | boolean>>;
export interface KafkaInstall {
  readonly lib: string;
  readonly version: string;
}
export interface Broker extends Jvm {
  readonly bootstrap: string;
  readonly logDir: string;
}
export interface Connect extends Jvm {
  readonly url: string;
  readonly startMs: number;
  rssAnonBytes(): number;
}
export interface ConnectOptions {
  /** Folders for `plugin.path`; what is on the class path (file connectors, converters, transforms) needs none. */
  readonly plugins?: readonly string[];
  /** Connector properties files to start with. */
  readonly connectors?: readonly string[];
  /** Worker settings on top of the tuned ones. */
  readonly worker?: Settings;
  /** JVM options of the worker. */
  readonly jvm?: readonly string[];
}
export interface RunOptions {
  readonly input: string;
  readonly output: string;
  readonly lines: number;
  /** Size of the input file: the output is complete when it is as long. */
  readonly bytes: number;
  readonly install: KafkaInstall;
  readonly dir: string;
  readonly converter: 'string' | 'json';
  /** Source-side transforms, as connector settings. With them there is no sink: the far end is the topic. */
  readonly transforms?: Settings;
  /** How often the same work is done before the pass that counts, on the same worker (its JIT compiler then had its time). */
  readonly warmUps?: number;
  readonly worker?: Settings;
  readonly source?: Settings;
  /** JVM options of the worker; without them, a heap of fixed size. */
  readonly jvm?: readonly string[];
  readonly deadlineMs?: number;
}
export interface RunResult {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Of the first pass on a worker that has just been started. */
  readonly firstPassRecordsPerSecond: number;
  readonly startMs: number;
  /** Of the Connect worker before it has any connector. */
  readonly idleRssBytes: number;
  readonly idleRssAnonBytes: number;
  /** Of the Connect worker, over its whole life so far. */
  readonly peakRssBytes: number;
  readonly brokerPeakRssBytes: number;
  /** Worker and broker, within `seconds`. */
  readonly cpuSeconds: number;
  readonly identical: boolean | null;
}

export const threeTransforms: Settings = {
  transforms: 'hoist,insert,replace',
  'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
  'transforms.hoist.field': 'line',
  'transforms.insert.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
  'transforms.insert.static.field': 'origin',
  'transforms.insert.static.value': 'bench',
  'transforms.replace.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
  'transforms.replace.renames': 'line:text',
};

const START_MS = 120_000; // a bound, not an expectation: it takes 3 s on a machine that is not overloaded
const CLUSTER_ID = 'dHJvdXBlLWJlbmNoLTAwMQ'; // any 16 bytes; one that does not begin with a dash
// What Kafka's own start scripts pass.
const GC = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];
const LOG4J = `appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
`;
const SOCKET = 1_048_576; // bytes; the default of 64 to 128 KB cuts each large request into many small writes
// Large requests in both directions (one partition carries everything), but no long wait for the last, small one.
// Connect's own choice of one request in flight is kept: more would let a retry change the order.
const TUNED: Settings = {
  'producer.batch.size': 1_000_000,
  'producer.linger.ms': 20,
  'producer.max.request.size': 4_000_000,
  'consumer.max.poll.records': 5000,
  'consumer.max.partition.fetch.bytes': 4_194_304,
  'consumer.fetch.min.bytes': 500_000,
  'consumer.fetch.max.wait.ms': 100,
};
const FAST: readonly string[] = ['-Xms1g']; // no growing of the heap while it is timed
const SOURCE: Settings = { 'batch.size': 5000 };

export const kafkaAvailable = javaAndMaven;

/** Copies Kafka's jars into a folder below `cacheDir`, once for each content of pom.xml. */
export async function prepareKafka(cacheDir: string): Promise<KafkaInstall> {
  const pom = findPom();
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  const lib = resolve(cacheDir, `kafka-jars-${hash}`);
  if (!existsSync(lib)) {
    const partial = `${lib}.${process.pid}`; // a copy that was cut short is never taken for a whole one
    await mkdir(cacheDir, { recursive: true });
    await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${partial}`]);
    await rename(partial, lib);
  }
  const version = (await readdir(lib))
    .map((name) => /^connect-runtime-(.+)\.jar$/.exec(name)?.[1])
    .find((v) => v !== undefined);
  if (version === undefined) throw new Error(`no connect-runtime jar in ${lib}`);
  return { lib, version };
}

/** pom.xml is not compiled, so it is looked for from this file upwards, then from the working directory upwards. */
function findPom(): string {
  for (const start of [dirname(fileURLToPath(import.meta.url)), process.cwd()]) {
    for (let at = start, above = ''; at !== above; above = at, at = dirname(at)) {
      const pom = join(at, 'bench', 'kafka', 'pom.xml');
      if (existsSync(pom)) return pom;
    }
  }
  throw new Error('bench/kafka/pom.xml is neither above the compiled code nor above the working directory');
}

/** A broker and controller in one process, with a fresh log below `dir`. */
export async function startBroker(install: KafkaInstall, dir: string): Promise<Broker> {
  const home = resolve(dir, 'broker');
  const logDir = join(home, 'data');
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const [port = 0, controller = 0] = await freePorts(2);
  const bootstrap = `127.0.0.1:${port}`;
  const config = await writeProperties(join(home, 'server.properties'), {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://${bootstrap},CONTROLLER://127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'socket.send.buffer.bytes': SOCKET,
    'socket.receive.buffer.bytes': SOCKET,
    'log.dirs': logDir,
    'num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
  });
  const base = await javaArguments(install, home);
  await run('java', [
    '-Xmx256m',
    ...base,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    CLUSTER_ID,
    '-c',
    config,
  ]);
  const jvm = await startJvm(home, join(home, 'broker.log'), [
    '-Xms1g',
    '-Xmx1g',
    ...GC,
    ...base,
    'kafka.Kafka',
    config,
  ]);
  await orStop(
    jvm,
    until('the broker is ready', [jvm], 50, START_MS, async () =>
      (await readFile(jvm.log, 'utf8')).includes('Kafka Server started'),
    ),
  );
  return { ...jvm, bootstrap, logDir };
}

/** A standalone worker; `startMs` runs from the spawn to the first answer of `GET /`. */
async function startConnect(
  install: KafkaInstall,
  broker: Broker,
  dir: string,
  options: ConnectOptions = {},
): Promise<Connect> {
  const home = resolve(dir, 'connect');
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const config = await writeProperties(join(home, 'worker.properties'), {
    'bootstrap.servers': broker.bootstrap,
    listeners: url,
    'offset.storage.file.filename': join(home, 'offsets'),
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'plugin.discovery': 'service_load',
    ...(options.plugins ? { 'plugin.path': options.plugins.join(',') } : {}),
    ...TUNED,
    ...options.worker,
  });
  const base = await javaArguments(install, home);
  const spawned = performance.now();
  const jvm = await startJvm(home, join(home, 'connect.log'), [
    '-Xmx1g',
    ...GC,
    ...(options.jvm ?? []),
    ...base,
    'org.apache.kafka.connect.cli.ConnectStandalone',
    config,
    ...(options.connectors ?? []),
  ]);
  await orStop(
    jvm,
    until('the worker answers', [jvm], 20, START_MS, async () => {
      try {
        const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
        await answer.arrayBuffer();
        return answer.ok;
      } catch {
        return false; // not listening yet
      }
    }),
  );
  return { ...jvm, url, startMs: performance.now() - spawned, rssAnonBytes: () => jvm.memory().rssAnonBytes };
}

/** input → topic → output (or only to the topic, with transforms) on a fresh broker and worker, timed from the first POST. */
export async function runFileToTopicToFile(options: RunOptions): Promise<RunResult> {
  const { install, dir, jvm = FAST } = options;
  const broker = await startBroker(install, dir);
  try {
    const connect = await startConnect(install, broker, dir, {
      jvm,
      ...(options.worker ? { worker: options.worker } : {}),
    });
    try {
      const idle = connect.memory();
      const first = await timedPass(options, broker, connect, 'pass-0');
      let last = first;
      for (let pass = 1; pass <= (options.warmUps ?? 0); pass += 1)
        last = await timedPass(options, broker, connect, `pass-${pass}`);
      return {
        ...last,
        recordsPerSecond: last.records / last.seconds,
        firstPassRecordsPerSecond: first.records / first.seconds,
        startMs: connect.startMs,
        idleRssBytes: idle.rssBytes,
        idleRssAnonBytes: idle.rssAnonBytes,
      };
    } finally {
      await connect.stop();
    }
  } finally {
    await broker.stop();
  }
}

type Pass = Pick<
  RunResult,
  'records' | 'seconds' | 'cpuSeconds' | 'peakRssBytes' | 'brokerPeakRssBytes' | 'identical'
>;

async function timedPass(
  options: RunOptions,
  broker: Broker,
  connect: Connect,
  topic: string,
): Promise<Pass> {
  const { install, dir, lines, bytes, converter, transforms } = options;
  const input = resolve(options.input);
  const output = resolve(options.output);
  const deadlineMs = options.deadlineMs ?? 120_000 + lines / 5;
  await rm(output, { force: true });
  const valueConverter: Settings =
    converter === 'string'
      ? { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter' }
      : {
          'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'value.converter.schemas.enable': true,
        };
  const end = new TopicEnd(join(broker.logDir, `${topic}-0`));
  const both = [connect, broker];
  const cpu = (): number => connect.cpuSeconds() + broker.cpuSeconds();
  const cpuBefore = cpu();
  const begun = performance.now();
  const names = [`${topic}-source`];
  await create(connect, `${topic}-source`, {
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: input,
    topic,
    ...SOURCE,
    ...valueConverter,
    ...transforms,
    ...options.source,
  });
  if (transforms === undefined) {
    names.push(`${topic}-sink`);
    await create(connect, `${topic}-sink`, {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
      file: output,
      topics: topic,
      ...valueConverter,
    });
    await until(
      'the last byte is in the output',
      both,
      20,
      deadlineMs,
      async () => (await sizeOf(output)) >= bytes,
    );
  } else {
    await until(
      'the last record is in the topic',
      both,
      20,
      deadlineMs,
      async () => (await end.read()) >= lines,
    );
  }
  const seconds = (performance.now() - begun) / 1000;
  const cpuSeconds = cpu() - cpuBefore;
  const peakRssBytes = connect.memory().peakRssBytes;
  const brokerPeakRssBytes = broker.memory().peakRssBytes;
  for (const name of names) await remove(connect, name);
  const found =
    transforms === undefined
      ? await compare(input, output)
      : { records: await endOffset(install, broker, dir, topic), identical: null };
  if (transforms === threeTransforms) await end.expect(['"text":"', '"origin":"bench"']);
  return { seconds, cpuSeconds, peakRssBytes, brokerPeakRssBytes, ...found };
}

/** Creates a connector; a standalone worker keeps it in memory only. */
async function create(connect: Connect, name: string, config: Settings): Promise<void> {
  const answer = await fetch(`${connect.url}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(START_MS),
    body: JSON.stringify({ name, config: asText(config) }),
  });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`POST /connectors (${name}): ${answer.status} ${text}`);
}

async function remove(connect: Connect, name: string): Promise<void> {
  const answer = await fetch(`${connect.url}/connectors/${name}`, {
    method: 'DELETE',
    signal: AbortSignal.timeout(START_MS),
  });
  if (answer.status !== 204)
    throw new Error(`DELETE /connectors/${name}: ${answer.status} ${await answer.text()}`);
}

/** Kafka's own word for how many records the topic holds. */
async function endOffset(install: KafkaInstall, broker: Broker, dir: string, topic: string): Promise<number> {
  const { stdout } = await run('java', [
    '-Xmx128m',
    ...(await javaArguments(install, dir)),
    'org.apache.kafka.tools.GetOffsetShell',
    '--bootstrap-server',
    broker.bootstrap,
    '--topic',
    topic,
  ]);
  return Number(new RegExp(`^${topic}:0:(\\d+)$`, 'm').exec(stdout)?.[1] ?? Number.NaN);
}

async function javaArguments(install: KafkaInstall, home: string): Promise<string[]> {
  const log4j = resolve(home, 'log4j2.properties');
  await writeFile(log4j, LOG4J);
  return [`-Dlog4j2.configurationFile=${log4j}`, '-cp', join(install.lib, '*')];
}

async function writeProperties(path: string, settings: Settings): Promise<string> {
  const lines = Object.entries(asText(settings)).map(
    ([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`,
  );
  await writeFile(path, lines.join(''));
  return path;
}

function asText(settings: Settings): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)]));
}

async function orStop(jvm: Jvm, ready: Promise<void>): Promise<void> {
  try {
    await ready;
  } catch (error) {
    await jvm.stop();
    throw error;
  }
}
