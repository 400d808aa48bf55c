/** The log of a RocketMQ that a test has started, and what its proxy's clients are told. */
import type { Log } from '#troupe/log/log.js';
import { openRocketMqLog } from '#troupe/log/rocketmq/client.js';
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
