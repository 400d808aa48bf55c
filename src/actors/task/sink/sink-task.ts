import { fencingEpoch } from '../../../core/cluster/fencing.js';
import { parseUnitKey } from '../../../core/model.js';
import type { SinkOffset } from '../../../core/progress/progress-machine.js';
import type { LogError, TopicDescription } from '../../../log/log.js';
import type { FileAccess, QueueRef, SinkTask, SinkTaskContext } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { isUnknownTopic } from '../deleted-topic.js';
import { checkTask } from '../../../plugins/plugin-returns.js';
import { reportTo } from '../dead-letters/report.js';
import { openSinkLetters } from '../dead-letters/open-letters.js';
import type { SinkLetters } from '../dead-letters/sink-letters.js';
import { flowReport } from '../flow-report.js';
import { presentTolerance } from '../hot-settings.js';
import type { LoadedSink } from '../load-task.js';
import { pluginContext } from '../plugin-context.js';
import { recordErrors, skippedRecords, type RecordErrors } from '../record-errors.js';
import { startPlugin } from '../run-to-end.js';
import type { SkippedRecords } from '../skipped-records.js';
import { LostRecords } from './lost-records.js';
import { QueueChanges } from './queue-changes.js';
import { withQueuesToCome, type SinkRound } from './queues-to-come.js';
import { SinkLoop } from './sink-loop.js';
import { SinkOffsets } from './sink-offsets.js';
import { SinkQueue } from './sink-queue.js';
import { SinkQueues } from './sink-queues.js';
import { restingOf } from './sink-resting.js';
import { SinkTopics } from './sink-topics.js';
import { Unreadable } from './unreadable.js';
import { TopicsUsed } from '../topics-used.js';

/** Read ahead of the sink, for all queues of the task together. */
const READ_AHEAD_BYTES = 4 << 20;
const READ_WAIT_MS = 20_000;
const LOG_AWAY_RETRY_MS = 2000;

export async function startSink(parts: TaskParts, loaded: LoadedSink): Promise<StartedTask> {
  const topics = new SinkTopics(parts, loaded);
  const ofTask = { topics, lost: new LostRecords(parts), skipped: skippedRecords(parts) };
  return withQueuesToCome(parts, {
    topics,
    start: (signal, found, onGone) =>
      startOnQueues({ ...parts, context: { ...parts.context, signal } }, loaded, {
        found,
        onGone,
        ...ofTask,
      }),
    intervalMs: loaded.topicsRefreshMs,
  });
}

interface Round {
  readonly found: readonly TopicDescription[];
  readonly onGone: (topic: string, topicId: string | null) => void;
  /** Those of the whole task. */
  readonly topics: SinkTopics;
  readonly lost: LostRecords;
  readonly skipped: SkippedRecords;
}

/** Fences, finds the offsets, starts the plugin and then its loop. */
async function startOnQueues(parts: TaskParts, loaded: LoadedSink, round: Round): Promise<SinkRound> {
  const { context, gate, calls, report, signals } = parts;
  const { params, signal } = context;
  const letters = await openSinkLetters(parts, loaded, {
    append: (entries) => offsets.commit([], entries),
    onMany: () => {
      loop.requestCommit();
    },
  });
  const errors = recordErrors(parts, presentTolerance(loaded), round.skipped, letters);
  const offsets = offsetsOf(parts, round, errors);
  const task = checkTask('sink', parseUnitKey(params.unit).connector, loaded.connector.createTask());
  const used = new TopicsUsed(context.peers.rebalancer, context.params.unit);
  const flow = flowReport(context.log, 'delivered');
  const queues = new SinkQueues();
  const changes: QueueChanges = new QueueChanges({
    task,
    calls,
    gate,
    errors,
    offsets,
    own: (topics) => round.topics.own(topics),
    committed: () => committedOffsets(parts),
    reader: (queue) => openQueue(parts, round, { queue, offsets, errors, loop, all: queues }),
    loop: {
      flush: () => loop.flush(),
      sought: () => loop.sought,
      add: (added) => {
        queues.add(added);
      },
      forget: (left) => {
        loop.forget(left);
      },
      wake: () => {
        loop.wake();
      },
    },
  });
  const gone = new Set<string>();
  const unreadable = new Unreadable({
    log: parts.log,
    signal,
    errors,
    mayGo: (topic) => round.topics.mayGo(topic),
    topicId: (topic) => changes.topicId(topic),
    onGone: (topic, topicId) => {
      // Else it is told, and they are forgotten then.
      if (task.open === undefined) gone.add(topic);
      round.onGone(topic, topicId);
    },
    fail: (error) => {
      loop.fail(error);
    },
  });
  const loop = new SinkLoop({
    task,
    calls,
    gate,
    signal,
    signals,
    queues,
    queueChanges: changes,
    onUnreadable: (error, queue) => unreadable.looksAfter(error, queue),
    errors,
    letters,
    conversion: loaded,
    get maxRecords() {
      return loaded.limits.maxRecords;
    },
    changes: parts.changes,
    throttle: parts.throttling,
    resting: restingOf(context, loaded, round.topics, (topic) => changes.topicId(topic)),
    get flushIntervalMs() {
      return loaded.offsetFlushIntervalMs;
    },
    offsets,
    log: context.log,
    onPaused: (paused) => {
      report.paused(paused);
    },
    onDelivered: (records, topic) => {
      flow.count(records);
      used.used([topic]);
    },
    counters: parts.counters.sink,
  });
  await changes.begin(round.found);
  const sinking = sinkContext(parts, loaded.files, changes, loop, { errors, letters });
  await gate.untilLeased();
  const { done } = await startPlugin(parts, {
    start: () => task.start(sinking, loaded.config, params.config),
    loop: () => runLoop(parts, loop, offsets, gone),
    stop: () => task.stop(),
    close: () => {
      flow.close();
      errors.close();
    },
  });
  return { done, change: changesWith(task, changes) };
}

/** Null: the plugin has to be started anew on other queues. */
function changesWith(task: SinkTask, changes: QueueChanges): SinkRound['change'] {
  if (task.open === undefined) return null;
  return (found) => {
    changes.ask(found);
  };
}

function offsetsOf(
  { context, gate, log, report }: TaskParts,
  round: Round,
  errors: RecordErrors,
): SinkOffsets {
  const { params, signal } = context;
  return new SinkOffsets({
    log,
    logger: context.log,
    note: (code, message) => {
      report.note(code, message);
    },
    signal,
    gate,
    errors,
    unit: params.unit,
    epoch: fencingEpoch(params.epoch, context.incarnation),
    node: params.node,
    offsetTopic: params.settings.offsetTopic,
    mayGo: (topic) => round.topics.mayGo(topic),
  });
}

/** Of the connector. Fences first. */
async function committedOffsets({ context }: TaskParts): Promise<readonly SinkOffset[]> {
  const { params, incarnation, peers } = context;
  const epoch = fencingEpoch(params.epoch, incarnation);
  const { offsets } = await peers.persistence.ask(
    'open',
    { unit: params.unit, epoch, kind: 'sink' },
    { deadlineMs: 60_000 },
  );
  return offsets;
}

async function runLoop(
  { context }: TaskParts,
  loop: SinkLoop,
  offsets: SinkOffsets,
  gone: Iterable<string>,
): Promise<void> {
  const warnNotForgotten = (error: unknown): void => {
    const cause = error instanceof Error ? error.message : String(error);
    context.log.warn({ cause }, 'the offsets of deleted topics could not be forgotten');
  };
  try {
    await offsets.checkSought(loop.sought);
    await loop.run();
    // Those that the plugin was not told of, because it starts anew.
    await offsets.forget(gone);
  } catch (error) {
    // A failure to forget must not take the place of the cause.
    if (isUnknownTopic(error)) await offsets.forgetDeleted().catch(warnNotForgotten);
    throw error;
  }
}

interface ToRead {
  readonly queue: QueueRef;
  readonly offsets: SinkOffsets;
  readonly errors: RecordErrors;
  readonly loop: SinkLoop;
  /** Of the task. */
  readonly all: SinkQueues;
}

function openQueue(
  { log, context }: TaskParts,
  { lost }: Round,
  { queue: { topic, queue }, offsets, errors, loop, all }: ToRead,
): SinkQueue {
  const { offset, how, commit } = offsets.beginning({ topic, queue });
  const options = {
    log,
    topic,
    queue,
    maxBytes: () => Math.max(1, Math.floor(READ_AHEAD_BYTES / Math.max(1, all.size))),
    waitMs: READ_WAIT_MS,
    signal: context.signal,
    onAway: (error: LogError, attempt: number) =>
      errors.backoff(`read ${topic}/${queue}`, error, attempt, LOG_AWAY_RETRY_MS),
    onBack: () => {
      errors.recovered(`read ${topic}/${queue}`);
    },
    onLost: (from: number, to: number) => {
      lost.count({ topic, queue }, from, to);
    },
  };
  // What is not committed is not known: then 0 stands for the oldest record.
  return new SinkQueue(options, loop, { offset, exact: how === 'goes on' || commit });
}

function sinkContext(
  parts: TaskParts,
  files: FileAccess,
  changes: QueueChanges,
  loop: SinkLoop,
  bad: { readonly errors: RecordErrors; readonly letters: SinkLetters | null },
): SinkTaskContext {
  return {
    ...pluginContext(parts, files),
    get assignment() {
      return changes.assignment;
    },
    topicId: (topic) => changes.topicId(topic),
    seek: (offsets) => {
      loop.seek(offsets);
    },
    pause: (queues) => {
      loop.pause(queues, true);
    },
    resume: (queues) => {
      loop.pause(queues, false);
    },
    requestCommit: () => {
      loop.requestCommit();
    },
    report: reportTo(bad),
  };
}
