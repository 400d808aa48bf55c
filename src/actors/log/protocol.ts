/** What the `log` actor is asked: the port, as messages. */
import type { StoreFigures } from '../../log/embedded/figures.js';
import type { QueuePlace, ReadableQueues } from '../../log/embedded/queue-reader.js';
import type * as port from '../../log/log.js';

/** The parameters of the actor. */
export interface LogActorParams {
  /** Folder of the store. */
  readonly dir: string;
  /** Appends are refused when the batches take more bytes; null: only the disk limits it. */
  readonly maxBytes: number | null;
  readonly cacheBytes: number;
  readonly retentionCheckMs: number;
  /** Not 0 when the store was opened before in this process: it is not begun anew then. */
  readonly opened?: SharedArrayBuffer;
  /** Address space to map at first, in bytes. It grows by itself. */
  readonly mapSize?: number;
}

/** A refused append brings the batches back: they were transferred. */
export type AppendReply =
  | { readonly offsets: readonly number[] }
  | {
      readonly refused: { readonly code: port.LogErrorCode; readonly message: string };
      readonly batches: readonly Uint8Array[];
    };

export type ReadQuestion = Omit<port.ReadRequest, 'signal'>;

export type LogProtocol = {
  tell: Record<never, never>;
  ask: {
    createTopic: {
      request: { readonly name: string; readonly settings: port.TopicSettings };
      reply: port.TopicDescription;
    };
    describeTopic: { request: { readonly name: string }; reply: port.TopicDescription | null };
    listTopics: { request: null; reply: readonly port.TopicDescription[] };
    deleteTopic: { request: { readonly name: string }; reply: null };
    append: { request: port.AppendRequest; reply: AppendReply };
    awaitRecords: {
      request: { readonly places: readonly QueuePlace[]; readonly waitMs: number };
      reply: ReadableQueues;
    };
    read: { request: ReadQuestion; reply: port.ReadResult };
    ranges: { request: { readonly topic: string }; reply: readonly port.QueueRange[] };
    trim: {
      request: { readonly topic: string; readonly queue: number; readonly offset: number };
      reply: null;
    };
    fence: { request: port.Fence; reply: null };
    subscribe: {
      request: { readonly group: string; readonly topics: readonly string[] };
      reply: null;
    };
    commitOffsets: {
      request: { readonly group: string; readonly offsets: readonly port.GroupOffset[] };
      reply: null;
    };
    committedOffsets: { request: { readonly group: string }; reply: readonly port.GroupOffset[] };
    listGroups: { request: null; reply: readonly string[] };
    deleteGroup: { request: { readonly group: string }; reply: null };
    figures: { request: null; reply: StoreFigures };
  };
};
