import { groupOf, type NodeRef, type UnitKey } from '../../../core/model.js';
import type { OffsetEntry, SinkOffset } from '../../../core/progress/progress-machine.js';
import { beginningOf, type Beginning } from '../../../core/progress/sink-beginning.js';
import { isNotNow, type Log, type QueueRange, type TopicDescription } from '../../../log/log.js';
import { encodeValues } from '../../../log/replicated-topic.js';
import { FatalError } from '../../../sdk/errors.js';
import type { QueueOffset, QueueRef } from '../../../sdk/plugin.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import type { Gate } from '../gate.js';
import { progressEncoder } from '../progress-entries.js';
import type { RecordErrors } from '../record-errors.js';
import { queueKey } from './sink-queue.js';

const LOG_AWAY_RETRY_MS = 2000;

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
  readonly assignment: readonly QueueRef[];
  /** Those of the assignment, as they are now. */
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
  readonly #topicIds: ReadonlyMap<string, string | null>;
  readonly #beginnings = new Map<string, Beginning>();
  /** By queue: what a start would go on from. */
  readonly #committed = new Map<string, number>();

  private constructor(options: SinkOffsetsOptions) {
    const { unit, node } = options;
    const encoder = progressEncoder<OffsetEntry>(node, unit);
    this.#options = options;
    this.#encode = (entry) => encoder.encode(entry);
    this.#topicIds = new Map(options.topics.map(({ name, id }) => [name, id]));
  }

  /** Where the sink begins in each queue is durable before this resolves. */
  static async open(options: SinkOffsetsOptions): Promise<SinkOffsets> {
    const offsets = new SinkOffsets(options);
    await offsets.#begin();
    return offsets;
  }

  beginning(queue: QueueRef): Beginning {
    return this.#beginnings.get(queueKey(queue)) ?? { offset: 0, how: 'first', commit: false };
  }

  /** The sink's place from now on, also where it lies before the one that it had. */
  async commit(items: readonly QueueOffset[]): Promise<void> {
    const back = items.some((item) => item.offset < (this.#committed.get(queueKey(item)) ?? 0));
    await this.#append(items, back);
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

  /**
   * A topic that takes the place of a deleted one begins anew: the offsets of the old one would skip its records. Where
   * topics have ids these say so.
   */
  async forgetDeleted(): Promise<void> {
    const { log, logger, assignment } = this.#options;
    const gone = new Set<string>();
    for (const [topic, id] of this.#topicIds)
      if (id === null && (await log.describeTopic(topic)) === null) gone.add(topic);
    const items = assignment.filter(({ topic }) => gone.has(topic)).map((queue) => ({ ...queue, offset: 0 }));
    if (items.length === 0) return;
    await this.#append(items, true);
    logger.warn({ topics: [...gone] }, 'the offsets of deleted topics were forgotten');
  }

  async #begin(): Promise<void> {
    const { log, assignment, committed } = this.#options;
    const known = new Map(committed.map((item) => [queueKey(item), item]));
    const ranges = await this.#ranges(known);
    for (const queue of assignment) {
      const key = queueKey(queue);
      const beginning = beginningOf({
        committed: known.get(key),
        topicId: this.#topicIds.get(queue.topic) ?? null,
        range: ranges.get(key) ?? null,
      });
      this.#beginnings.set(key, beginning);
      this.#committed.set(key, beginning.offset);
    }
    this.#sayAnew(known);
    const at = (queues: readonly QueueRef[]): QueueOffset[] =>
      queues.map((queue) => ({ ...queue, offset: this.beginning(queue).offset }));
    const changed = at(assignment.filter((queue) => this.beginning(queue).commit));
    if (changed.length > 0) await this.#append(changed, true);
    // Retention by size waits for a group that is registered, also before its first commit, and also where the group of a
    // deleted connector of that name was cleared away.
    const registered = log.capabilities.trim ? at(assignment) : changed;
    if (registered.length > 0) await this.#commitToGroup(registered);
  }

  /** By queue; of topics where they are needed, and without those that are not to be had at the moment. */
  async #ranges(known: ReadonlyMap<string, SinkOffset>): Promise<ReadonlyMap<string, QueueRange>> {
    const { log, assignment } = this.#options;
    const settled = (queue: QueueRef): boolean => {
      const id = known.get(queueKey(queue))?.topicId;
      return id !== undefined && id === this.#topicIds.get(queue.topic);
    };
    const ranges = new Map<string, QueueRange>();
    for (const topic of new Set(assignment.filter((queue) => !settled(queue)).map((queue) => queue.topic))) {
      for (const range of await rangesNow(log, topic)) ranges.set(queueKey({ topic, ...range }), range);
    }
    return ranges;
  }

  #sayAnew(known: ReadonlyMap<string, SinkOffset>): void {
    const { logger, note, assignment } = this.#options;
    const anew = assignment.filter((queue) => this.beginning(queue).how === 'anew');
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

  /** While the log is away, busy or full the task waits for it. An entry that was appended before its outcome was lost changes nothing. */
  async #append(items: readonly QueueOffset[], reset: boolean): Promise<void> {
    const { log, errors, gate, signal, unit, epoch, offsetTopic } = this.#options;
    const named = items.map(({ topic, queue, offset }): SinkOffset => {
      const topicId = this.#topicIds.get(topic) ?? null;
      return { topic, queue, offset, ...(topicId === null ? {} : { topicId }) };
    });
    const entry = this.#encode({ type: 'PROGRESS', unit, epoch, items: named, ...(reset ? { reset } : {}) });
    for (let attempt = 1; ; attempt += 1) {
      try {
        await log.append({
          entries: [{ topic: offsetTopic, queue: 0, batch: encodeValues([entry]) }],
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
    try {
      await log.commitOffsets(
        group,
        items.map(({ topic, queue, offset }) => ({ topic, queue, offset })),
      );
    } catch (error) {
      if (!isNotNow(error) || log.capabilities.atomicAppend) throw error;
      logger.warn({ group, cause: error.message }, 'the group does not show the latest offsets yet');
    }
  }
}

async function rangesNow(log: Pick<Log, 'ranges'>, topic: string): Promise<readonly QueueRange[]> {
  try {
    return await log.ranges(topic);
  } catch (error) {
    if (!isNotNow(error)) throw error;
    return [];
  }
}
