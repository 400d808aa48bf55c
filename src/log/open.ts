/** Where an actor gets its log from: the one place that chooses the adapter. */
import type { Ref } from '../actors/kernel/protocol.js';
import { LogClient } from './embedded/client.js';
import type { LogClientOptions } from './embedded/client.js';
import type { LogProtocol } from './embedded/protocol.js';
import type { Log } from './log.js';

export type { LogActorParams, LogProtocol } from './embedded/protocol.js';

/** `ref`: the node's `log` actor. */
export function openLog(ref: Pick<Ref<LogProtocol>, 'ask'>, options: LogClientOptions = {}): Log {
  return new LogClient(ref, options);
}
