/** Topics get more queues, patterns more topics, and topics are made anew, while a sink runs. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { queueChange, type PresentQueue } from '../../../core/progress/queue-changes.js';
import type { TopicDescription } from '../../../log/log.js';
import type { QueueRef } from '../../../sdk/plugin.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import type { Gate } from '../gate.js';
import type { StartedTask, TaskActorContext, TaskParts } from '../parts.js';
import { whenLogTakes } from '../wait-for-log.js';
import { NewlyGone } from './newly-gone.js';
import type { FoundTopics } from './queue-changes.js';
import type { SinkTopics } from './sink-topics.js';

/**
 * How soon, and how often in the end, a topic is looked for that does not exist: a source that was made after its sink
 * creates it in a moment.
 */
const MISSING_FIRST_MS = 50;
const MISSING_MS = 1000;

export interface QueuesToComeOptions {
  readonly topics: Pick<SinkTopics, 'look' | 'missing' | 'own'>;
  readonly intervalMs: number;
  /** Runs until the signal. `onGone`: the life of this topic that the task has read is over. */
  readonly start: (
    signal: AbortSignal,
    topics: readonly TopicDescription[],
    onGone: (topic: string, topicId: string | null) => void,
  ) => Promise<SinkRound>;
}

export interface SinkRound extends StartedTask {
  /** Takes up and lets go of queues while it runs; null: it has to start again. */
  readonly change: ((found: FoundTopics) => void) | null;
}

/**
 * Runs the sink, and where it has a new queue to read, or a topic has become another one or is gone, says so to it, or
 * flushes, commits and stops it in order and starts it on what there is. That a topic is gone only reading it shows.
 */
export async function withQueuesToCome(
  parts: Waiting & { readonly context: { readonly log: Pick<ActorLogger, 'info'> } },
  { topics, intervalMs, start }: QueuesToComeOptions,
): Promise<StartedTask> {
  const { signal, log } = parts.context;
  const awaited = new Awaited(parts);
  const missingMs = Math.min(MISSING_MS, intervalMs);

  const begin = async (): Promise<{ readonly over: AbortController; readonly started: SinkRound }> => {
    const over = endsWith(signal);
    // One listener for each queue.
    setMaxListeners(0, over.signal);
    const found = await topics.look();
    const nothing = topics.own(found).length === 0;
    if (nothing) log.info({}, 'there is no queue to read for this task yet');
    const gone = new NewlyGone();
    const started = await start(over.signal, found, (topic, topicId) => {
      gone.add(topic, topicId);
    });
    awaited.say(topics.missing(found), nothing);
    void watch(found, gone, over, started);
    return { over, started };
  };

  const lookedAt = (): Promise<readonly TopicDescription[] | null> =>
    topics.look().catch((error: unknown) => {
      log.debug({ cause: String(error) }, 'the topics could not be looked at');
      return null;
    });

  const watch = async (
    first: readonly TopicDescription[],
    gone: NewlyGone,
    over: AbortController,
    { change }: SinkRound,
  ): Promise<void> => {
    const waitsFor = (found: readonly TopicDescription[]): (() => number) =>
      topics.missing(found).length > 0 ? growing(missingMs) : () => intervalMs;
    let waits = waitsFor(first);
    let present = readOf(topics.own(first), idsOf(first));
    while (await gone.passed(gone.all.size > 0 ? missingMs : waits(), over.signal)) {
      const left = gone.all;
      const found = await lookedAt();
      if (found === null) continue;
      gone.seen(left);
      const ids = idsOf(found);
      const { leaving, coming } = queueChange(present, { own: topics.own(found), topicIds: ids }, left);
      if (leaving.length === 0 && coming.length === 0) continue;
      log.info(
        { new: namesOf(coming), gone: namesOf(leaving) },
        change === null
          ? 'starts again: queues of its topics have changed'
          : 'queues of its topics have changed',
      );
      if (change === null) {
        over.abort();
        return;
      }
      change({ topics: found, gone: left });
      present = [...present.filter((queue) => !leaving.includes(queue)), ...readOf(coming, ids)];
      waits = waitsFor(found);
      awaited.say(topics.missing(found), present.length === 0);
    }
  };

  let round = await begin();
  const untilStopped = async (): Promise<void> => {
    for (;;) {
      await round.started.done.finally(() => {
        round.over.abort();
      });
      if (signal.aborted) return;
      const next = await whenLogTakes(parts, begin);
      if (next === null) return;
      round = next;
    }
  };
  return { done: untilStopped() };
}

function idsOf(topics: readonly TopicDescription[]): ReadonlyMap<string, string | null> {
  return new Map(topics.map(({ name, id }) => [name, id]));
}

function readOf(
  queues: readonly QueueRef[],
  ids: ReadonlyMap<string, string | null>,
): readonly PresentQueue[] {
  return queues.map((queue) => ({ ...queue, topicId: ids.get(queue.topic) ?? null }));
}

/** For the log. */
function namesOf(queues: readonly QueueRef[]): readonly string[] {
  return [...new Set(queues.map(({ topic }) => topic))].slice(0, 20);
}

/** Not by AbortSignal.any: Node 20 keeps what that makes, and all that listens to it, for as long as the thread lives. */
function endsWith(signal: AbortSignal): AbortController {
  const over = new AbortController();
  const end = (): void => {
    over.abort(signal.reason);
  };
  signal.addEventListener('abort', end);
  over.signal.addEventListener('abort', () => {
    signal.removeEventListener('abort', end);
  });
  if (signal.aborted) end();
  return over;
}

/** What says that topics are waited for. */
export interface Waiting {
  readonly context: Pick<TaskActorContext, 'signal'> & { readonly log: Pick<ActorLogger, 'debug' | 'warn'> };
  readonly report: Pick<TaskParts['report'], 'stalled'>;
}

/** Starts when all of `topics` exist. Until then nothing else says whether the task is paused. */
export async function whenAllExist(
  parts: Waiting & {
    readonly gate: Pick<Gate, 'target'>;
    readonly report: Pick<TaskParts['report'], 'paused'>;
  },
  topics: Pick<SinkTopics, 'look' | 'missing'>,
  start: (topics: readonly TopicDescription[]) => Promise<StartedTask>,
): Promise<StartedTask> {
  const { gate, report } = parts;
  const { signal, log } = parts.context;
  const found = await topics.look();
  if (topics.missing(found).length === 0) return start(found);
  const awaited = new Awaited(parts);
  awaited.say(topics.missing(found), true);
  const later = async (): Promise<void> => {
    const waits = growing(MISSING_MS);
    let paused = false;
    while (await passed(waits(), signal)) {
      if ((gate.target === 'PAUSED') !== paused) {
        paused = !paused;
        report.paused(paused);
      }
      const now = await topics.look().catch((error: unknown) => {
        log.debug({ cause: String(error) }, 'the topics could not be looked at');
        return null;
      });
      if (now === null) continue;
      awaited.say(topics.missing(now), true);
      if (topics.missing(now).length > 0) continue;
      return (await whenLogTakes(parts, () => start(now)))?.done;
    }
    awaited.say([], false);
  };
  return { done: later() };
}

/** Says what is waited for: in the log, and in the status of a task that has nothing else to do. */
class Awaited {
  readonly #parts: Waiting;
  #said = '';
  #stalled = false;

  constructor(parts: Waiting) {
    this.#parts = parts;
  }

  say(missing: readonly string[], nothingElse: boolean): void {
    const { context, report } = this.#parts;
    const stalled = missing.length > 0 && nothingElse;
    if (stalled && !this.#stalled)
      report.stalled('topics', {
        call: 'topics',
        since: Date.now(),
        cause: `these topics do not exist: ${missing.slice(0, 20).join(', ')}`,
      });
    if (!stalled && this.#stalled) report.stalled('topics', null);
    this.#stalled = stalled;
    if (missing.join() === this.#said) return;
    this.#said = missing.join();
    if (missing.length === 0) return;
    context.log.warn(
      { topics: missing.slice(0, 20), count: missing.length },
      'these topics do not exist: they are read when a source that writes there, or somebody else, has created them',
    );
  }
}

/** Waits that grow with the time already waited, up to `maxMs`: what comes is found at most a quarter later than it could be. */
function growing(maxMs: number): () => number {
  let waited = 0;
  return () => {
    const wait = Math.min(Math.max(MISSING_FIRST_MS, waited / 4), maxMs);
    waited += wait;
    return wait;
  };
}

/** Whether the time passed, and not the signal ended it. */
async function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}
