import { setTimeout as sleep } from 'node:timers/promises';
import {
  hasNewQueues,
  type QueuePlace,
  type RestingTopics,
  type TaskRest,
} from '../../core/cluster/passivation.js';
import type { UnitKey } from '../../core/model.js';
import { isNotNow, type Log, type TopicDescription } from '../../log/log.js';
import type { ActorLogger } from '../kernel/protocol.js';

/** The most that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Long, as each read that is over and asked anew costs the log, and a thousand may wait; the log says when there is something. */
const READ_WAIT_MS = 600_000;
const LOG_AWAY_RETRY_MS = 2000;
/** The finest that topics are looked at. */
const LOOK_MS = 1000;

export interface PassiveTasksParts {
  /** Opened once a task rests that reads it. */
  readonly openLog: () => Promise<Log>;
  /** The cluster's own topics, which no pattern matches. */
  readonly ownTopics: readonly string[];
  readonly log: Pick<ActorLogger, 'debug' | 'warn'>;
  /** It has something to do. `since`: it has rested, in milliseconds since 1970. */
  readonly onWake: (unit: UnitKey, since: number | undefined) => void;
}

interface Watched {
  readonly rest: TaskRest;
  /** Ends what watches for it; null: nothing does, as it is held. */
  watch: AbortController | null;
  /** At its topics, next. */
  looksAt: number;
}

/**
 * Watches for those that rest: the queues of sinks from where they ended, their topics, the times of sources. What cannot
 * be watched wakes its task, which says what is wrong. Bounded by the tasks of this node and their queues.
 */
export class PassiveTasks {
  readonly #parts: PassiveTasksParts;
  readonly #units = new Map<UnitKey, Watched>();
  #log: Promise<Log> | null = null;
  #looking: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: PassiveTasksParts) {
    this.#parts = parts;
  }

  get all(): ReadonlyMap<UnitKey, { readonly rest: TaskRest }> {
    return this.#units;
  }

  add(unit: UnitKey, rest: TaskRest): void {
    this.forget(unit);
    this.#units.set(unit, { rest, watch: null, looksAt: Infinity });
    this.resume(unit);
  }

  forget(unit: UnitKey): void {
    this.hold(unit);
    this.#units.delete(unit);
  }

  /** Nothing is to wake it: it is paused. */
  hold(unit: UnitKey): void {
    const passive = this.#units.get(unit);
    passive?.watch?.abort();
    if (passive !== undefined) passive.watch = null;
  }

  resume(unit: UnitKey): void {
    const passive = this.#units.get(unit);
    if (passive?.watch !== null || this.#closed) return;
    const watch = new AbortController();
    passive.watch = watch;
    const { rest } = passive;
    if (rest.kind === 'source') {
      if (rest.wakeAt !== null) this.#wakeAt(unit, rest.wakeAt, watch.signal);
      return;
    }
    passive.looksAt = Date.now() + rest.topics.refreshMs;
    this.#lookOn();
    for (const place of rest.queues) void this.#wakeOnRecord(unit, place, watch.signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#looking !== null) clearTimeout(this.#looking);
    for (const unit of [...this.#units.keys()]) this.forget(unit);
    await (await this.#log?.catch(() => null))?.close();
  }

  #wake(unit: UnitKey, signal: AbortSignal, why: string): void {
    if (signal.aborted) return;
    const since = this.#units.get(unit)?.rest.since;
    this.forget(unit);
    this.#parts.log.debug({ task: unit, why }, 'a passive task wakes');
    this.#parts.onWake(unit, since);
  }

  #wakeAt(unit: UnitKey, at: number, signal: AbortSignal): void {
    const leftMs = Math.max(0, at - Date.now());
    const timer = setTimeout(
      () => {
        if (leftMs > MAX_TIMER_MS) this.#wakeAt(unit, at, signal);
        else this.#wake(unit, signal, 'its time has come');
      },
      Math.min(leftMs, MAX_TIMER_MS),
    );
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  }

  /** Also where records were deleted, or the topic is gone: the task says so. */
  async #wakeOnRecord(unit: UnitKey, place: QueuePlace, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const log = await this.#opened();
        const { batches, nextOffset } = await log.read({
          ...place,
          maxBytes: 1,
          maxRecords: 1,
          waitMs: READ_WAIT_MS,
          signal,
        });
        if (batches.length === 0 && nextOffset === place.offset) continue;
        this.#wake(unit, signal, 'a record came');
      } catch (error) {
        if (signal.aborted) return;
        if (isNotNow(error))
          await sleep(LOG_AWAY_RETRY_MS * (1 + Math.random()), undefined, { signal }).catch(() => undefined);
        else this.#wake(unit, signal, error instanceof Error ? error.message : String(error));
      }
    }
  }

  #opened(): Promise<Log> {
    this.#log ??= this.#parts.openLog().catch((error: unknown) => {
      this.#log = null;
      throw error;
    });
    return this.#log;
  }

  #lookOn(): void {
    if (this.#looking !== null || this.#closed) return;
    this.#looking = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => {
          this.#parts.log.warn(
            { cause: String(error) },
            'the topics of passive sinks could not be looked at',
          );
        })
        .finally(() => {
          this.#looking = null;
          if (this.#units.size > 0) this.#lookOn();
        });
    }, LOOK_MS);
  }

  /** One look for all whose time it is. */
  async #look(): Promise<void> {
    const now = Date.now();
    const due: { readonly unit: UnitKey; readonly topics: RestingTopics; readonly signal: AbortSignal }[] =
      [];
    for (const [unit, passive] of this.#units) {
      const { rest, watch, looksAt } = passive;
      if (rest.kind !== 'sink' || watch === null || looksAt > now) continue;
      passive.looksAt = now + rest.topics.refreshMs;
      due.push({ unit, topics: rest.topics, signal: watch.signal });
    }
    if (due.length === 0) return;
    const present = await this.#present(due.map(({ topics }) => topics));
    const isClosed = (topic: string): boolean => this.#parts.ownTopics.includes(topic);
    for (const { unit, topics, signal } of due)
      if (hasNewQueues(topics, present, isClosed)) this.#wake(unit, signal, 'it has new queues');
  }

  async #present(topics: readonly RestingTopics[]): Promise<readonly TopicDescription[]> {
    const log = await this.#opened();
    if (topics.some(({ pattern }) => pattern !== null)) return log.listTopics();
    const found: TopicDescription[] = [];
    for (const name of new Set(topics.flatMap(({ named }) => named))) {
      const topic = await log.describeTopic(name);
      if (topic !== null) found.push(topic);
    }
    return found;
  }
}
