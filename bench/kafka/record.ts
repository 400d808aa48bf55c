/** `npm run record:kafka-connect`: plays requests.json on a real Kafka Connect and writes recorded.json. Needs Java 17 and Maven. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareKafka, startBroker, type Broker, type KafkaInstall } from './kafka-connect.js';
import { freePorts, startJvm, until, type Jvm } from './jvm.js';
import { dataPath, INPUT, play } from '#troupe/test/conformance/kafka-connect/player.js';

const CACHE = join(tmpdir(), 'troupe-kafka');
/** A bound, not an expectation. */
const START_MS = 120_000;

const install = await prepareKafka(CACHE);
const dir = await mkdtemp(join(tmpdir(), 'troupe-record-'));
try {
  const broker = await startBroker(install, dir);
  try {
    const worker = await startWorker(install, broker, dir);
    try {
      await writeFile(join(dir, 'in.txt'), INPUT);
      const answers = await play({ url: worker.url, dir, workerId: worker.url.slice('http://'.length) });
      const lines = answers.map((answered) => `  ${JSON.stringify(answered)}`).join(',\n');
      await writeFile(dataPath('recorded.json'), `[\n${lines}\n]\n`);
      console.log(`${answers.length} answers of Kafka Connect ${install.version}`);
    } finally {
      await worker.stop();
    }
  } finally {
    await broker.stop();
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** A distributed one, alone: offsets can be changed there only, and connectors stopped. */
async function startWorker(
  { lib }: KafkaInstall,
  broker: Broker,
  folder: string,
): Promise<Jvm & { readonly url: string }> {
  const home = join(folder, 'connect');
  await mkdir(home, { recursive: true });
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const settings: Record<string, string> = {
    'bootstrap.servers': broker.bootstrap,
    listeners: url,
    'rest.advertised.host.name': '127.0.0.1',
    'group.id': 'recorded',
    'plugin.discovery': 'service_load',
    'offset.flush.interval.ms': '500',
    'scheduled.rebalance.max.delay.ms': '0',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'config.storage.topic': 'recorded-config',
    'config.storage.replication.factor': '1',
    'offset.storage.topic': 'recorded-offset',
    'offset.storage.replication.factor': '1',
    'offset.storage.partitions': '1',
    'status.storage.topic': 'recorded-status',
    'status.storage.replication.factor': '1',
    'status.storage.partitions': '1',
  };
  const config = join(home, 'worker.properties');
  await writeFile(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const log4j = `-Dlog4j2.configurationFile=${join(folder, 'broker', 'log4j2.properties')}`;
  const main = 'org.apache.kafka.connect.cli.ConnectDistributed';
  const jvm = await startJvm(home, join(home, 'connect.log'), [
    '-Xmx512m',
    log4j,
    '-cp',
    join(lib, '*'),
    main,
    config,
  ]);
  try {
    await until('the worker is healthy', [jvm], 200, START_MS, async () => {
      try {
        return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(5000) })).ok;
      } catch {
        return false; // not listening yet
      }
    });
  } catch (error) {
    console.error((await readFile(jvm.log, 'utf8')).slice(-4000));
    await jvm.stop();
    throw error;
  }
  return { ...jvm, url };
}
