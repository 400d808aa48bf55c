/** Topics get more queues, patterns more topics, and topics are made anew, while a sink runs. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicDescription } from '../../../log/log.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import type { Gate } from '../gate.js';
import type { StartedTask, TaskActorContext, TaskParts } from '../parts.js';
import { whenLogTakes } from '../wait-for-log.js';
import { queueKey } from './sink-queue.js';
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
  /** Runs until the signal. */
  readonly start: (signal: AbortSignal, topics: readonly TopicDescription[]) => Promise<StartedTask>;
}

/**
 * Runs the sink, and where it has a new queue to read, or a topic has become another one, flushes, commits and stops it
 * in order and starts it on what there is. A topic or queue that is gone is not looked for: reading it fails, and says why.
 */
export async function withQueuesToCome(
  parts: Waiting & { readonly context: { readonly log: Pick<ActorLogger, 'info'> } },
  { topics, intervalMs, start }: QueuesToComeOptions,
): Promise<StartedTask> {
  const { signal, log } = parts.context;
  const awaited = new Awaited(parts);

  const begin = async (): Promise<{ readonly over: AbortController; readonly started: StartedTask }> => {
    const over = endsWith(signal);
    // One listener for each queue.
    setMaxListeners(0, over.signal);
    const found = await topics.look();
    const nothing = topics.own(found).length === 0;
    if (nothing) log.info({}, 'there is no queue to read for this task yet');
    const started = await start(over.signal, found);
    awaited.say(topics.missing(found), nothing);
    void watch(found, over);
    return { over, started };
  };

  const watch = async (present: readonly TopicDescription[], over: AbortController): Promise<void> => {
    const known = new Set(topics.own(present).map(queueKey));
    const ids = new Map(present.map(({ name, id }) => [name, id]));
    const isNew = (topic: TopicDescription): boolean =>
      topics.own([topic]).some((queue) => !known.has(queueKey(queue)) || ids.get(topic.name) !== topic.id);
    const waits =
      topics.missing(present).length > 0 ? growing(Math.min(MISSING_MS, intervalMs)) : () => intervalMs;
    while (await passed(waits(), over.signal)) {
      const found = await topics.look().catch((error: unknown) => {
        log.debug({ cause: String(error) }, 'the topics could not be looked at');
        return [];
      });
      const news = found.filter(isNew).map(({ name }) => name);
      if (news.length === 0) continue;
      log.info(
        { topics: news.slice(0, 20), count: news.length },
        'starts again: these topics have new queues',
      );
      over.abort();
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
