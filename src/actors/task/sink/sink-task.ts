import { fencingEpoch } from '../../../core/cluster/fencing.js';
import { parseUnitKey } from '../../../core/model.js';
import type { LogError, TopicDescription } from '../../../log/log.js';
import type { FileAccess, QueueRef, SinkTaskContext } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { isUnknownTopic } from '../deleted-topic.js';
import { checkTask } from '../../../plugins/plugin-returns.js';
import { flowReport } from '../flow-report.js';
import type { LoadedSink } from '../load-task.js';
import { pluginContext } from '../plugin-context.js';
import { recordErrors, skippedRecords, type RecordErrors } from '../record-errors.js';
import { startPlugin } from '../run-to-end.js';
import type { SkippedRecords } from '../skipped-records.js';
import { LostRecords } from './lost-records.js';
import { withQueuesToCome } from './queues-to-come.js';
import { SinkLoop } from './sink-loop.js';
import { SinkOffsets } from './sink-offsets.js';
import { SinkQueue, type QueueListener } from './sink-queue.js';
import { placeOf } from './sink-record.js';
import { SinkTopics } from './sink-topics.js';

/** Read ahead of the sink, for all queues of the task together. */
const READ_AHEAD_BYTES = 4 << 20;
const READ_WAIT_MS = 20_000;
const LOG_AWAY_RETRY_MS = 2000;

export async function startSink(parts: TaskParts, loaded: LoadedSink): Promise<StartedTask> {
  const topics = new SinkTopics(parts, loaded);
  const ofTask = { lost: new LostRecords(parts), skipped: skippedRecords(parts) };
  return withQueuesToCome(parts, {
    topics,
    start: (signal, found) =>
      startOnQueues({ ...parts, context: { ...parts.context, signal } }, loaded, {
        topics: found,
        assignment: topics.own(found),
        ...ofTask,
      }),
    intervalMs: loaded.topicsRefreshMs,
  });
}

interface Round {
  readonly topics: readonly TopicDescription[];
  readonly assignment: readonly QueueRef[];
  /** Those of the whole task. */
  readonly lost: LostRecords;
  readonly skipped: SkippedRecords;
}

/** Fences, finds the offsets, starts the plugin and then its loop. */
async function startOnQueues(parts: TaskParts, loaded: LoadedSink, round: Round): Promise<StartedTask> {
  const { context, gate, calls, report } = parts;
  const { params, signal } = context;
  const { unit } = params;
  const { assignment } = round;
  const errors = recordErrors(parts, loaded.tolerance, round.skipped);
  const epoch = fencingEpoch(params.epoch, context.incarnation);
  const progress = await context.peers.persistence.ask(
    'open',
    { unit, epoch, kind: 'sink' },
    { deadlineMs: 60_000 },
  );
  const offsets = await SinkOffsets.open({
    log: parts.log,
    logger: context.log,
    note: (code, message) => {
      report.note(code, message);
    },
    signal,
    gate,
    errors,
    unit,
    epoch,
    node: params.node,
    offsetTopic: params.settings.offsetTopic,
    assignment,
    topics: round.topics,
    committed: progress.offsets,
  });
  const task = checkTask('sink', parseUnitKey(unit).connector, loaded.connector.createTask());
  const flow = flowReport(context.log, 'delivered');
  const loop = new SinkLoop({
    task,
    calls,
    gate,
    signal,
    queues: (listener) => openQueues(parts, round, offsets, errors, listener),
    errors,
    conversion: loaded,
    maxRecords: loaded.limits.maxRecords,
    flushIntervalMs: loaded.offsetFlushIntervalMs,
    offsets,
    log: context.log,
    onPaused: (paused) => {
      report.paused(paused);
    },
    onDelivered: flow.count,
  });
  const warnNotForgotten = (error: unknown): void => {
    const cause = error instanceof Error ? error.message : String(error);
    context.log.warn({ cause }, 'the offsets of deleted topics could not be forgotten');
  };
  const run = async (): Promise<void> => {
    try {
      await offsets.checkSought(loop.sought);
      await loop.run();
    } catch (error) {
      // A failure to forget must not take the place of the cause.
      if (isUnknownTopic(error)) await offsets.forgetDeleted().catch(warnNotForgotten);
      throw error;
    }
  };
  const sinking = sinkContext(parts, loaded.files, round, loop, errors);
  await gate.untilLeased();
  return startPlugin(parts, {
    start: () => task.start(sinking, loaded.config, params.config),
    loop: run,
    stop: () => task.stop(),
    close: () => {
      flow.close();
      errors.close();
    },
  });
}

function openQueues(
  { log, context }: TaskParts,
  { assignment, lost }: Round,
  offsets: SinkOffsets,
  errors: RecordErrors,
  listener: QueueListener,
): readonly SinkQueue[] {
  const maxBytes = Math.max(1, Math.floor(READ_AHEAD_BYTES / Math.max(1, assignment.length)));
  return assignment.map(({ topic, queue }) => {
    const { offset, how, commit } = offsets.beginning({ topic, queue });
    const options = {
      log,
      topic,
      queue,
      maxBytes,
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
    return new SinkQueue(options, listener, { offset, exact: how === 'goes on' || commit });
  });
}

function sinkContext(
  parts: TaskParts,
  files: FileAccess,
  { assignment, topics }: Round,
  loop: SinkLoop,
  errors: RecordErrors,
): SinkTaskContext {
  const topicIds = new Map(topics.map(({ name, id }) => [name, id]));
  return {
    ...pluginContext(parts, files),
    assignment,
    topicId: (topic) => topicIds.get(topic) ?? null,
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
    report: (record, error) => errors.badRecord(error, placeOf(record), record),
  };
}
