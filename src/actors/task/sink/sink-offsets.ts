import { groupOf, type NodeRef, type UnitKey } from '../../../core/model.js';
import type { OffsetEntry, SinkOffset } from '../../../core/progress/progress-machine.js';
import { beginningOf, type Beginning } from '../../../core/progress/sink-beginning.js';
import { isNotNow, LogError, type Log, type QueueRange, type TopicDescription } from '../../../log/log.js';
import { encodeValues } from '../../../log/replicated-topic.js';
import { FatalError } from '../../../sdk/errors.js';
import type { QueueOffset, QueueRef } from '../../../sdk/plugin.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import type { Gate } from '../gate.js';
import { progressEncoder } from '../progress-entries.js';
import type { RecordErrors } from '../record-errors.js';
import type { LetterEntries } from '../dead-letters/sink-letters.js';
import { queueKey } from './sink-queue.js';

const LOG_AWAY_RETRY_MS = 2000;
const NONE: LetterEntries = () => [];

export interface SinkOffsetsOptions {
  readonly log: Log;
  readonly logger: Pick<ActorLogger, 'warn'>;
  readonly note: (code: string, message: string) => void;
  readonly signal: AbortSignal;
  readonly gate: Pick<Gate, 'leased'>;
  readonly errors: Pick<RecordErrors, 'backoff' | 'recovered' | 'pause'>;
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly node: NodeRef;
  readonly offsetTopic: string;
  /** A task goes on when such a topic is deleted. */
  readonly mayGo: (topic: string) => boolean;
}

/** Queues that a task begins to read. */
export interface QueuesToBegin {
  readonly queues: readonly QueueRef[];
  /** Theirs, as they are now. */
  readonly topics: readonly TopicDescription[];
  /** Of the connector. */
  readonly committed: readonly SinkOffset[];
}

/**
 * The offsets of a sink's task: where it begins, and what it commits. They go to the offset topic, which is the
 * authority, and are mirrored into the group that retention waits for and tools look at.
 */
export class SinkOffsets {
  readonly #options: SinkOffsetsOptions;
  readonly #encode: (entry: OffsetEntry) => Uint8Array;
  /** Of the topics that are read, in the lives that are read. */
  readonly #topicIds = new Map<string, string | null>();
  /** Topics whose life is over: a group's offsets would be taken for those of the next one. */
  readonly #over = new Set<string>();
  /** By queue, of all that are read. */
  readonly #begun = new Map<string, { readonly at: QueueRef; readonly beginning: Beginning }>();
  /** By queue: what a start would go on from. */
  readonly #committed = new Map<string, number>();

  constructor(options: SinkOffsetsOptions) {
    const { unit, node } = options;
    const encoder = progressEncoder<OffsetEntry>(node, unit);
    this.#options = options;
    this.#encode = (entry) => encoder.encode(entry);
  }

  beginning(queue: QueueRef): Beginning {
    return this.#begun.get(queueKey(queue))?.beginning ?? { offset: 0, how: 'first', commit: false };
  }

  /** The sink's place from now on, also where it lies before the one that it had. `before`: what goes with it, and before it. */
  async commit(items: readonly QueueOffset[], before: LetterEntries = NONE): Promise<void> {
    const back = items.some((item) => item.offset < (this.#committed.get(queueKey(item)) ?? 0));
    await this.#append(items, back, before);
    await this.#commitToGroup(items);
  }

  /** Makes durable that the sink reads these again: without it a start would go on where it was before. */
  async rewind(items: readonly QueueOffset[]): Promise<void> {
    const back = items.filter((item) => item.offset < (this.#committed.get(queueKey(item)) ?? 0));
    if (back.length > 0) await this.commit(back);
  }

  /**
   * FatalError SEEK_BEHIND_END where a sink asks for what was never there. Waiting would pass over what comes until then
   * without a word.
   */
  async checkSought(items: readonly QueueOffset[]): Promise<void> {
    const ahead = items.filter((item) => item.offset > (this.#committed.get(queueKey(item)) ?? 0));
    for (const { topic, queue, offset } of ahead) {
      const range = (await rangesNow(this.#options.log, topic)).find((each) => each.queue === queue);
      if (range === undefined || offset <= range.endOffset) continue;
      throw new FatalError(
        `the connector asked to go on at offset ${offset} of ${topic}/${queue}, which ends at ${range.endOffset}: what it keeps ` +
          `beside its data is of an earlier topic of this name, or the topic has lost its end. Remove what it keeps (of a ` +
          `file sink the hidden .….progress.json beside its output), and it goes on at its committed offsets`,
        { code: 'SEEK_BEHIND_END' },
      );
    }
  }

  /** What is committed of these from here on is no more than a word about a life that is over. */
  ended(topics: Iterable<string>): void {
    for (const topic of topics) this.#over.add(topic);
  }

  /** These are not the task's any more. */
  leave(queues: readonly QueueRef[]): void {
    for (const queue of queues) {
      this.#begun.delete(queueKey(queue));
      this.#committed.delete(queueKey(queue));
    }
    const left = new Set([...this.#begun.values()].map(({ at }) => at.topic));
    for (const { topic } of queues) {
      if (left.has(topic)) continue;
      this.#topicIds.delete(topic);
      this.#over.delete(topic);
    }
  }

  /** `forget` of those that do not exist. */
  async forgetDeleted(): Promise<void> {
    const gone: string[] = [];
    for (const [topic, id] of this.#topicIds)
      if (id === null && (await this.#options.log.describeTopic(topic)) === null) gone.push(topic);
    await this.forget(gone);
  }

  /**
   * A topic that takes the place of a deleted one begins anew: the offsets of the old one would skip its records. Where
   * topics have ids these say so. Before `leave`.
   */
  async forget(deleted: Iterable<string>): Promise<void> {
    const gone = new Set(deleted);
    const items = [...this.#begun.values()]
      .filter(({ at }) => gone.has(at.topic) && this.#topicIds.get(at.topic) === null)
      .map(({ at: { topic, queue } }) => ({ topic, queue, offset: 0 }));
    if (items.length === 0) return;
    await this.#append(items, true);
    this.#options.logger.warn({ topics: [...gone] }, 'the offsets of deleted topics were forgotten');
  }

  /** Where the sink begins in each of these is durable before this resolves. */
  async begin({ queues, topics, committed }: QueuesToBegin): Promise<void> {
    const { log } = this.#options;
    for (const { name, id } of topics) {
      this.#topicIds.set(name, id);
      this.#over.delete(name);
    }
    const known = new Map(committed.map((item) => [queueKey(item), item]));
    const ranges = await this.#ranges(queues, known);
    for (const queue of queues) {
      const key = queueKey(queue);
      const beginning = beginningOf({
        committed: known.get(key),
        topicId: this.#topicIds.get(queue.topic) ?? null,
        range: ranges.get(key) ?? null,
      });
      this.#begun.set(key, { at: queue, beginning });
      this.#committed.set(key, beginning.offset);
    }
    this.#sayAnew(queues, known);
    const at = (those: readonly QueueRef[]): QueueOffset[] =>
      those.map((queue) => ({ ...queue, offset: this.beginning(queue).offset }));
    const changed = at(queues.filter((queue) => this.beginning(queue).commit));
    if (changed.length > 0) await this.#append(changed, true);
    // Retention by size waits for a group that is registered, also before its first commit, and also where the group of a
    // deleted connector of that name was cleared away.
    const registered = log.capabilities.trim ? at(queues) : changed;
    if (registered.length > 0) await this.#commitToGroup(registered);
  }

  /** By queue; of topics where they are needed, and without those that are not to be had at the moment. */
  async #ranges(
    queues: readonly QueueRef[],
    known: ReadonlyMap<string, SinkOffset>,
  ): Promise<ReadonlyMap<string, QueueRange>> {
    const { log, mayGo } = this.#options;
    const settled = (queue: QueueRef): boolean => {
      const id = known.get(queueKey(queue))?.topicId;
      return id !== undefined && id === this.#topicIds.get(queue.topic);
    };
    const ranges = new Map<string, QueueRange>();
    for (const topic of new Set(queues.filter((queue) => !settled(queue)).map((queue) => queue.topic))) {
      const found = await rangesNow(log, topic).catch((error: unknown) => {
        // It was deleted since it was found, and a read will say so.
        if (!isNoMore(error) || !mayGo(topic)) throw error;
        return [];
      });
      for (const range of found) ranges.set(queueKey({ topic, ...range }), range);
    }
    return ranges;
  }

  #sayAnew(begun: readonly QueueRef[], known: ReadonlyMap<string, SinkOffset>): void {
    const { logger, note } = this.#options;
    const anew = begun.filter((queue) => this.beginning(queue).how === 'anew');
    for (const topic of new Set(anew.map((queue) => queue.topic))) {
      const queues = anew
        .filter((queue) => queue.topic === topic)
        .map((queue) => ({
          queue: queue.queue,
          committed: known.get(queueKey(queue))?.offset,
          offset: this.beginning(queue).offset,
        }));
      const message = `topic ${topic} was made anew, or has lost its end, since this sink has read it: it is read from its oldest record`;
      const code = 'TOPIC_MADE_ANEW';
      logger.warn({ code, topic, queues: queues.slice(0, 20) }, message);
      note(code, message);
    }
  }

  /**
   * While the log is away, busy or full the task waits for it. An entry that was appended before its outcome was lost changes
   * nothing. No `items`: what is `before` them goes alone.
   */
  async #append(items: readonly QueueOffset[], reset: boolean, before: LetterEntries = NONE): Promise<void> {
    const { log, errors, gate, signal, unit, epoch, offsetTopic } = this.#options;
    const named = items.map(({ topic, queue, offset }): SinkOffset => {
      const topicId = this.#topicIds.get(topic) ?? null;
      return { topic, queue, offset, ...(topicId === null ? {} : { topicId }) };
    });
    const entry = this.#encode({ type: 'PROGRESS', unit, epoch, items: named, ...(reset ? { reset } : {}) });
    for (let attempt = 1; ; attempt += 1) {
      try {
        await log.append({
          entries: [
            ...before(),
            ...(items.length === 0 ? [] : [{ topic: offsetTopic, queue: 0, batch: encodeValues([entry]) }]),
          ],
          fence: { key: unit, epoch },
        });
        errors.recovered('commit');
        for (const item of items) this.#committed.set(queueKey(item), item.offset);
        return;
      } catch (error) {
        if (!isNotNow(error) || signal.aborted) throw error;
        await errors.backoff('commit', error, attempt, LOG_AWAY_RETRY_MS);
        while (!gate.leased && !signal.aborted) await errors.pause(LOG_AWAY_RETRY_MS);
      }
    }
  }

  /** Where the group holds nothing back, as in RocketMQ, a broker that is away need not keep the sink from going on. */
  async #commitToGroup(items: readonly QueueOffset[]): Promise<void> {
    const { log, logger, unit } = this.#options;
    const group = groupOf(unit);
    const present = items.filter(({ topic }) => !this.#over.has(topic));
    if (present.length === 0) return;
    try {
      await log.commitOffsets(
        group,
        present.map(({ topic, queue, offset }) => ({ topic, queue, offset })),
      );
    } catch (error) {
      if (isNoMore(error)) {
        const rest = await this.#ofTheirLives(present);
        if (rest.length === present.length) throw error;
        return this.#commitToGroup(rest);
      }
      if (!isNotNow(error) || log.capabilities.atomicAppend) throw error;
      logger.warn({ group, cause: error.message }, 'the group does not show the latest offsets yet');
    }
  }

  /** Without those of topics that are deleted, as they may be, or made anew: a read will say so, too. */
  async #ofTheirLives(items: readonly QueueOffset[]): Promise<readonly QueueOffset[]> {
    const { log, mayGo } = this.#options;
    const over = new Set<string>();
    for (const topic of new Set(items.map((item) => item.topic))) {
      const found = await log.describeTopic(topic);
      if (found === null ? mayGo(topic) : found.id !== this.#topicIds.get(topic)) over.add(topic);
    }
    return items.filter(({ topic }) => !over.has(topic));
  }
}

function isNoMore(error: unknown): boolean {
  return (
    error instanceof LogError && (error.code === 'LOG_UNKNOWN_TOPIC' || error.code === 'LOG_UNKNOWN_QUEUE')
  );
}

async function rangesNow(log: Pick<Log, 'ranges'>, topic: string): Promise<readonly QueueRange[]> {
  try {
    return await log.ranges(topic);
  } catch (error) {
    if (!isNotNow(error)) throw error;
    return [];
  }
}
