/** The log of a RocketMQ that a test has started, and what its proxy's clients are told. */
import type { Log } from '#troupe/log/log.js';
import { openRocketMqLog } from '#troupe/log/rocketmq/client.js';
import { RemotingClient } from '#troupe/log/rocketmq/remoting/client.js';
import { RocketMqLog } from '#troupe/log/rocketmq/rocketmq-log.js';
import type { RocketMqSettings } from '#troupe/log/rocketmq/settings.js';
import type { RocketMq } from './rocketmq.js';

export function rocketmqSettings(
  { namesrvAddr, endpoints }: Pick<RocketMq, 'namesrvAddr' | 'endpoints'>,
  more: Partial<RocketMqSettings> = {},
): RocketMqSettings & { readonly endpoints: string } {
  return {
    namesrvAddr: [namesrvAddr],
    cluster: null,
    acl: null,
    tls: null,
    maxMessageBytes: 4 * 1024 * 1024,
    ...more,
    endpoints: more.endpoints ?? endpoints,
  };
}

export function openTestLog(settings: RocketMqSettings): Log {
  return openRocketMqLog(settings, () => undefined);
}

/** Without a proxy, and with the client, by which topics are given more queues. */
export function openRemotingLog({ namesrvAddr }: Pick<RocketMq, 'namesrvAddr'>): {
  readonly client: RemotingClient;
  readonly log: Log;
} {
  const client = new RemotingClient({
    namesrvAddr: [namesrvAddr],
    acl: null,
    tls: null,
    deadlineMs: 10_000,
    maxInFlightBytes: 1024 * 1024,
  });
  return { client, log: new RocketMqLog({ client, maxMessageBytes: 1024 * 1024 }) };
}
