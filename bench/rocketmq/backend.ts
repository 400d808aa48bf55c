/** What the nodes' log is in: a RocketMQ of this run's own, or a store that they share. */
import { join } from 'node:path';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import type { Log } from '#troupe/log/log.js';
import { openRocketMqLog } from '#troupe/log/rocketmq/client.js';
import type { RocketMqSettings } from '#troupe/log/rocketmq/settings.js';
import { startRocketMq, type RocketMq } from '#troupe/test/support/rocketmq.js';
import { rocketmqSettings } from '#troupe/test/support/rocketmq-log.js';
import { cpuSeconds } from './machine.js';
import type { Options } from './options.js';
import { say } from './report.js';

export interface Backend {
  readonly name: string;
  /** Of each node, on top of others. */
  readonly nodeSettings: Readonly<Record<string, string>>;
  /** For a look from outside; null: no RocketMQ. */
  readonly rocketmq: RocketMqSettings | null;
  /** `storePath`: where nodes share a store. The caller closes it. */
  openLog(storePath: string): Promise<Log>;
  /** Of broker, proxy and name server; 0 where there are none. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export async function startBackend(options: Options): Promise<Backend> {
  return options.log === 'embedded' ? sharedStore : rocketmqOf(options);
}

const sharedStore: Backend = {
  name: 'shared embedded store',
  nodeSettings: {},
  rocketmq: null,
  openLog: (storePath) =>
    EmbeddedStore.open({ dir: storePath, maxBytes: null, cacheBytes: 0, retentionCheckMs: 3_600_000 }),
  cpuSeconds: () => 0,
  stop: () => Promise.resolve(),
};

async function rocketmqOf({ version, broker }: Options): Promise<Backend> {
  const rocketmq: RocketMq = await startRocketMq({
    version,
    brokerSettings: broker,
    jvm: ['-Xms1g', '-Xmx1g', '-XX:MaxDirectMemorySize=1g'],
    onProgress: say,
  });
  const settings = rocketmqSettings(rocketmq);
  return {
    name: `RocketMQ ${version}`,
    nodeSettings: { namesrvAddr: rocketmq.namesrvAddr, 'rocketmq.endpoints': rocketmq.endpoints },
    rocketmq: settings,
    openLog: () => Promise.resolve(openRocketMqLog(settings, () => undefined)),
    cpuSeconds: () => rocketmq.processes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
    stop: () => rocketmq.stop(),
  };
}

/** Where the nodes of a `Cluster` share their store. */
export function storePathOf(clusterDir: string): string {
  return join(clusterDir, 'log');
}
