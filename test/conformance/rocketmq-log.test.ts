import { after, before, describe } from 'node:test';

import type { Log } from '#troupe/log/log.js';
import { RemotingClient } from '#troupe/log/rocketmq/remoting/client.js';
import { RocketMqLog } from '#troupe/log/rocketmq/rocketmq-log.js';

import { requireService, ROCKETMQ_VERSIONS, rocketmqAvailable, startRocketMq } from '../support/rocketmq.js';
import type { RocketMq } from '../support/rocketmq.js';
import { logConformance } from './log.suite.js';
import type { LogUnderTest } from './log.suite.js';
import { ScopedLog } from './scoped-log.js';

function openLog(namesrvAddr: string): Log {
  const client = new RemotingClient({
    namesrvAddr: [namesrvAddr],
    acl: null,
    tls: null,
    deadlineMs: 20_000,
    maxInFlightBytes: 64 * 1024 * 1024,
  });
  return new RocketMqLog({ client, maxMessageBytes: 4 * 1024 * 1024, ownAppendsMs: 20_000 });
}

let scopes = 0;

async function logUnderTest(namesrvAddr: string): Promise<LogUnderTest> {
  scopes += 1;
  const prefix = `scope${scopes}-`;
  const open: ScopedLog[] = [];
  const another = async (): Promise<Log> => {
    const log = new ScopedLog(openLog(namesrvAddr), prefix);
    open.push(log);
    return log;
  };
  const close = async (): Promise<void> => {
    for (const log of open.splice(0)) await log.close();
  };
  return {
    log: await another(),
    another,
    reopen: async () => {
      for (const log of open) await log.settle();
      await close();
      return another();
    },
    close,
  };
}

for (const version of Object.values(ROCKETMQ_VERSIONS)) {
  const skip = requireService(rocketmqAvailable(version));
  describe(`RocketMQ ${version}`, { skip }, () => {
    let rocketmq: RocketMq;
    before(async () => {
      rocketmq = await startRocketMq({ version, proxy: 'none' });
    });
    after(() => rocketmq.stop());
    logConformance('its log', () => logUnderTest(rocketmq.namesrvAddr));
  });
}
