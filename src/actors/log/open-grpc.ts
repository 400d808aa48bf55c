/**
 * What goes through RocketMQ's proxy: entries of the cluster topics, and shared groups. Both need rocketmq.endpoints;
 * gRPC, some 15 MB a thread, is loaded where one of them is used.
 */
import type { LogSettings, LogUser } from './open.js';
import { LogError } from '../../log/log.js';
import type { TopicAppender } from '../../log/replicated-topic.js';
import type { RocketMqSettings } from '../../log/rocketmq/settings.js';
import type { SharedConsumer } from '../../log/shared.js';

type User = Pick<LogUser, 'log'>;

export interface TopicPublisher extends TopicAppender {
  close(): Promise<void>;
}

export interface SharedGroup {
  readonly group: string;
  readonly topics: readonly string[];
  /** A record that was handed out so often goes to the group's dead letters. */
  readonly maxAttempts: number;
}

/** Null: there is no proxy, so the log itself appends. */
export async function openPublisher(settings: LogSettings, { log }: User): Promise<TopicPublisher | null> {
  const proxy = proxyOf(settings);
  if (proxy === null) return null;
  const { openPublisherWhileUp } = await import('../../log/rocketmq/grpc/publisher-while-up.js');
  return openPublisherWhileUp(proxy, (message, error) => {
    log.warn({ err: error }, message);
  });
}

export function hasSharedGroups(settings: LogSettings): boolean {
  return proxyOf(settings) !== null;
}

export async function openSharedGroup(
  settings: LogSettings,
  { log }: User,
  group: SharedGroup,
): Promise<SharedConsumer> {
  const proxy = proxyOf(settings);
  if (proxy === null) {
    throw new LogError(
      'LOG_BAD_REQUEST',
      'consume.mode=shared needs RocketMQ with its proxy: give the node namesrvAddr and rocketmq.endpoints, or take consume.mode=queue',
    );
  }
  const { openSharedConsumer } = await import('../../log/rocketmq/grpc/shared-consumer.js');
  return openSharedConsumer({
    ...group,
    settings: proxy,
    onIssue: (message, error) => {
      log.warn(error === null ? {} : { err: error }, message);
    },
  });
}

function proxyOf(settings: LogSettings): (RocketMqSettings & { readonly endpoints: string }) | null {
  if (settings.kind === 'embedded') return null;
  const { endpoints } = settings.cluster;
  return endpoints === null ? null : { ...settings.cluster, endpoints };
}
