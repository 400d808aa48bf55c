import { fencingEpoch } from '../../../core/cluster/fencing.js';
import { groupOf } from '../../../core/model.js';
import type { OffsetEntry } from '../../../core/progress/progress-machine.js';
import { progressEncoder } from '../progress-entries.js';
import { isNotNow, type LogError } from '../../../log/log.js';
import { encodeValues } from '../../../log/replicated-topic.js';
import type { FileAccess, QueueOffset, QueueRef, SinkTaskContext } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { isUnknownTopic } from '../deleted-topic.js';
import { flowReport } from '../flow-report.js';
import type { LoadedSink } from '../load-task.js';
import { pluginContext } from '../plugin-context.js';
import { SinkQueue, queueKey } from './sink-queue.js';
import { recordErrors, type RecordErrors } from '../record-errors.js';
import { runToEnd } from '../run-to-end.js';
import { placeOf } from './sink-record.js';
import { SinkLoop } from './sink-loop.js';
import { SinkTopics } from './sink-topics.js';
import { withQueuesToCome } from './queues-to-come.js';

/** Read ahead of the sink, for all queues of the task together. */
const READ_AHEAD_BYTES = 4 << 20;
const READ_WAIT_MS = 20_000;
const LOG_AWAY_RETRY_MS = 2000;

export async function startSink(parts: TaskParts, loaded: LoadedSink): Promise<StartedTask> {
  const topics = new SinkTopics(parts, loaded);
  return withQueuesToCome(parts, {
    topics,
    start: (of, found) =>
      startOnQueues(of, loaded, topics.own(found), new Map(found.map(({ name, id }) => [name, id]))),
    intervalMs: loaded.topicsRefreshMs,
  });
}

/** Fences, finds the offsets, starts the plugin and then its loop. */
async function startOnQueues(
  parts: TaskParts,
  loaded: LoadedSink,
  assignment: readonly QueueRef[],
  topicIds: ReadonlyMap<string, string | null>,
): Promise<StartedTask> {
  const { context, gate, calls, report } = parts;
  const { params, signal } = context;
  const { unit } = params;
  const epoch = fencingEpoch(params.epoch, context.incarnation);
  const progress = await context.peers.persistence.ask(
    'open',
    { unit, epoch, kind: 'sink' },
    { deadlineMs: 60_000 },
  );
  const committed = new Map(progress.offsets.map((item) => [queueKey(item), item.offset]));
  await registerGroup(parts, assignment, committed);
  const errors = recordErrors(parts, loaded.tolerance);
  const task = loaded.connector.createTask();
  const flow = flowReport(context.log, 'delivered');
  const readers = await openReaders(parts, assignment, committed, errors, () => loop);
  const loop: SinkLoop = new SinkLoop({
    task,
    calls,
    gate,
    signal,
    readers,
    errors,
    conversion: loaded,
    maxRecords: loaded.limits.maxRecords,
    flushIntervalMs: loaded.offsetFlushIntervalMs,
    commit: committer(parts, epoch, errors),
    onPaused: (paused) => {
      report.paused(paused);
    },
    onDelivered: flow.count,
  });
  await gate.untilLeased();
  await calls.run('start', () =>
    task.start(
      sinkContext(parts, loaded.files, assignment, topicIds, loop, errors),
      loaded.config,
      params.config,
    ),
  );
  const warnNotForgotten = (error: unknown): void => {
    const cause = error instanceof Error ? error.message : String(error);
    context.log.warn({ cause }, 'the offsets of deleted topics could not be forgotten');
  };
  const ended = loop.run().catch(async (error: unknown) => {
    // A failure to forget must not take the place of the cause.
    if (isUnknownTopic(error)) await forgetDeleted(parts, epoch, assignment).catch(warnNotForgotten);
    throw error;
  });
  return {
    done: runToEnd(
      { calls, log: context.log, signal, stopTimeoutMs: params.settings.stopTimeoutMs },
      ended,
      () => task.stop(),
    ).finally(() => {
      flow.close();
      errors.close();
    }),
  };
}

async function openReaders(
  parts: TaskParts,
  assignment: readonly QueueRef[],
  committed: ReadonlyMap<string, number>,
  errors: RecordErrors,
  loop: () => SinkLoop,
): Promise<SinkQueue[]> {
  const maxBytes = Math.max(1, Math.floor(READ_AHEAD_BYTES / Math.max(1, assignment.length)));
  const readers: SinkQueue[] = [];
  for (const { topic, queue } of assignment) {
    let awaySince = 0;
    const options = {
      log: parts.log,
      topic,
      queue,
      maxBytes,
      waitMs: READ_WAIT_MS,
      signal: parts.context.signal,
      onData: () => {
        loop().wake();
      },
      onAway: (error: LogError, attempt: number) => {
        if (attempt === 1) awaySince = Date.now();
        return errors.backoff('read', error, attempt, awaySince, LOG_AWAY_RETRY_MS);
      },
      onBack: () => {
        errors.recovered();
      },
      onError: (error: unknown) => {
        loop().fail(error);
      },
    };
    // A new sink starts with the oldest record there is: offset 0 reads on from there.
    readers.push(new SinkQueue(options, committed.get(queueKey({ topic, queue })) ?? 0));
  }
  return readers;
}

/**
 * Where the group holds something back it must know how far the sink is: a group that was deleted with an earlier sink
 * of this name has nothing of that.
 */
async function registerGroup(
  parts: TaskParts,
  assignment: readonly QueueRef[],
  committed: ReadonlyMap<string, number>,
): Promise<void> {
  const { trim } = parts.log.capabilities;
  const unknown = assignment.filter((queue) => trim || !committed.has(queueKey(queue)));
  if (unknown.length === 0) return;
  await commitToGroup(
    parts,
    unknown.map((queue) => ({ ...queue, offset: committed.get(queueKey(queue)) ?? 0 })),
  );
}

/** A topic that takes the place of a deleted one begins anew: the offsets of the old one would skip its records. */
async function forgetDeleted(
  { context, log }: TaskParts,
  epoch: number,
  assignment: readonly QueueRef[],
): Promise<void> {
  const { unit, node, settings } = context.params;
  const gone = new Set<string>();
  for (const topic of new Set(assignment.map((queue) => queue.topic)))
    if ((await log.describeTopic(topic)) === null) gone.add(topic);
  const items = assignment.filter(({ topic }) => gone.has(topic)).map((queue) => ({ ...queue, offset: 0 }));
  if (items.length === 0) return;
  const entry: OffsetEntry = { type: 'PROGRESS', unit, epoch, items, reset: true };
  const batch = encodeValues([progressEncoder<OffsetEntry>(node, unit).encode(entry)]);
  await log.append({
    entries: [{ topic: settings.offsetTopic, queue: 0, batch }],
    fence: { key: unit, epoch },
  });
  context.log.warn({ topics: [...gone] }, 'the offsets of deleted topics were forgotten');
}

/** Offsets go to the offset topic, which is the authority, and are mirrored into the group that tools look at. */
function committer(
  parts: TaskParts,
  epoch: number,
  errors: RecordErrors,
): (offsets: readonly QueueOffset[]) => Promise<void> {
  const { unit, node } = parts.context.params;
  const encoder = progressEncoder<OffsetEntry>(node, unit);
  return async (items) => {
    await appendOffsets(parts, epoch, encoder.encode({ type: 'PROGRESS', unit, epoch, items }), errors);
    await commitToGroup(parts, items);
  };
}

/** While the log is away, busy or full the task waits for it. An entry that was appended before its outcome was lost changes nothing. */
async function appendOffsets(
  { context, log, gate }: TaskParts,
  epoch: number,
  entry: Uint8Array,
  errors: RecordErrors,
): Promise<void> {
  const { unit, settings } = context.params;
  const since = Date.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      await log.append({
        entries: [{ topic: settings.offsetTopic, queue: 0, batch: encodeValues([entry]) }],
        fence: { key: unit, epoch },
      });
      if (attempt > 1) errors.recovered();
      return;
    } catch (error) {
      if (!isNotNow(error) || context.signal.aborted) throw error;
      await errors.backoff('commit', error, attempt, since, LOG_AWAY_RETRY_MS);
      while (!gate.leased && !context.signal.aborted) await errors.pause(LOG_AWAY_RETRY_MS);
    }
  }
}

/** Where the group holds nothing back, as in RocketMQ, a broker that is away need not keep the sink from going on. */
async function commitToGroup(parts: TaskParts, offsets: readonly QueueOffset[]): Promise<void> {
  const { log, context } = parts;
  const group = groupOf(context.params.unit);
  try {
    await log.commitOffsets(group, offsets);
  } catch (error) {
    if (!isNotNow(error) || log.capabilities.atomicAppend) throw error;
    context.log.warn({ group, cause: error.message }, 'the group does not show the latest offsets yet');
  }
}

function sinkContext(
  parts: TaskParts,
  files: FileAccess,
  assignment: readonly QueueRef[],
  topicIds: ReadonlyMap<string, string | null>,
  loop: SinkLoop,
  errors: RecordErrors,
): SinkTaskContext {
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
