/** What the client of RocketMQ's remoting protocol takes and answers. */
import type { Permit } from '../../log.js';

export interface Acl {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface RemotingTls {
  /** Certificates to trust, PEM; else those of Node. */
  readonly ca?: string;
  readonly rejectUnauthorized: boolean;
}

export interface RemotingOptions {
  /** `host:port` of the name servers. */
  readonly namesrvAddr: readonly string[];
  readonly acl: Acl | null;
  readonly tls: RemotingTls | null;
  /** Of one call with its retries, beyond what a pull waits. */
  readonly deadlineMs: number;
  /** Bodies of sends on their way; more wait. */
  readonly maxInFlightBytes: number;
  /** Where topics and groups are created; default: on all masters that the name servers know. */
  readonly cluster?: string;
  /** In [0, 1): the jitter of waits. */
  readonly random?: () => number;
  /** What went wrong and was mended or tried again: for a log line. */
  readonly onIssue?: (message: string, error: unknown) => void;
}

/** One queue of a topic on one broker. */
export interface BrokerQueue {
  readonly broker: string;
  readonly queueId: number;
}

export interface CreateTopicOptions {
  /** On each broker. */
  readonly queues: number;
  /** Only on the first so many masters by name; default: on all. */
  readonly brokers?: number;
  /** Besides `message.type=NORMAL`. Names without the `+` that the protocol puts in front. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface GroupSettings {
  readonly consumeEnable?: boolean;
  /** Deliveries of a record before it goes to the dead-letter queue. */
  readonly maxRetries?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface SendBatchRequest {
  readonly topic: string;
  readonly queue: BrokerQueue;
  /** As the broker reads it: messages one after the other (see encodeBatch in message.ts). */
  readonly body: Buffer;
  readonly count: number;
  /** Of all its messages, as compression; default 0. */
  readonly sysFlag?: number;
  /** Of all its messages, in ms since 1970; default: now. */
  readonly bornTimestamp?: number;
  /** Nothing is sent without it; when it ends, so does the connection that a request is on its way on. */
  readonly permit?: Permit;
}

export interface PullRequest {
  readonly topic: string;
  readonly queue: BrokerQueue;
  readonly offset: number;
  readonly group: string;
  readonly maxBytes: number;
  readonly maxMessages: number;
  /** 0: answers at once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

export interface PullResult {
  /** `OFFSET_MOVED`: the offset lies outside `minOffset`…`maxOffset`; read on at `nextOffset`. */
  readonly status: 'FOUND' | 'NO_NEW' | 'OFFSET_MOVED';
  /** Stored messages, one after the other. */
  readonly body: Buffer;
  readonly nextOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

export interface QueueStats {
  readonly queue: BrokerQueue;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** When its last message was stored, in ms since 1970; 0: never. */
  readonly lastUpdate: number;
}

export interface GroupQueueStats {
  readonly topic: string;
  readonly queue: BrokerQueue;
  readonly maxOffset: number;
  readonly committedOffset: number;
}

/** Of one frame. */
export type Fields = Readonly<Record<string, string>>;

export interface Header {
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string;
  readonly fields: Fields;
}
