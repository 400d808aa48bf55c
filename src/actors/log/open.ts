/** Where an actor gets its log from: the one place that chooses the adapter. A thread loads the one it uses. */
import type { Ref } from '../kernel/protocol.js';
import { LogClient } from './client.js';
import type { LogProtocol } from './protocol.js';
import type { Log } from '../../log/log.js';
import type * as RocketMqClient from '../../log/rocketmq/client.js';
import type { RocketMqSettings } from '../../log/rocketmq/settings.js';

export type { LogActorParams, LogProtocol } from './protocol.js';

/** Plain data: it goes to each actor that needs a log. */
export type LogSettings =
  { readonly kind: 'embedded' } | { readonly kind: 'rocketmq'; readonly cluster: RocketMqSettings };

/** What the adapters need of the actor whose log it is: its context has it all. */
export interface LogUser {
  readonly log: { warn(fields: object, message: string): void };
  /** The node's `log` actor, which is there with the embedded log only. */
  readonly peers: { readonly log: Pick<Ref<LogProtocol>, 'ask'> };
}

/** Ahead of its use, in a thread that is to be quick then. */
export function loadRocketMq(): Promise<typeof RocketMqClient> {
  return import('../../log/rocketmq/client.js');
}

export async function openLog(settings: LogSettings, user: LogUser): Promise<Log> {
  if (settings.kind === 'embedded') return new LogClient(user.peers.log);
  const { openRocketMqLog } = await loadRocketMq();
  return openRocketMqLog(settings.cluster, (message) => {
    user.log.warn({}, message);
  });
}
