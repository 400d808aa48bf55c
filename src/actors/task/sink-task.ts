import { groupOf, parseUnitKey } from '../../core/model.js';
import type { OffsetEntry } from '../../core/progress-machine.js';
import { progressEncoder } from './progress-entries.js';
import { encodeValues } from '../../log/replicated-topic.js';
import { ConfigError, DataError } from '../../sdk/errors.js';
import type { QueueOffset, QueueRef, SinkTaskContext } from '../../sdk/plugin.js';
import type { StartedTask, TaskParts } from './behavior.js';
import { flowReport } from './flow-report.js';
import { decodeHeader } from './headers.js';
import { topicSettings, type LoadedSink } from './load-task.js';
import { pluginLogger } from './plugin-logger.js';
import { QueueReader, queueKey } from './queue-reader.js';
import { RecordErrors } from './record-errors.js';
import { SinkLoop } from './sink-loop.js';
import { Topics } from './topics.js';

/** Read ahead of the sink, for all queues of the task together. */
const READ_AHEAD_BYTES = 4 << 20;
const READ_WAIT_MS = 20_000;

/** Fences, finds the offsets, starts the plugin and then its loop. */
export async function startSink(parts: TaskParts, loaded: LoadedSink): Promise<StartedTask> {
  const { context, gate, calls, report } = parts;
  const { params, signal } = context;
  const { unit, epoch } = params;
  const progress = await context.peers.persistence.ask(
    'open',
    { unit, epoch, kind: 'sink' },
    { deadlineMs: 60_000 },
  );
  const committed = new Map(progress.offsets.map((item) => [queueKey(item), item.offset]));
  const assignment = await assignedQueues(parts, loaded);
  await registerGroup(parts, assignment, committed);
  const errors = new RecordErrors(loaded.tolerance, context.log, signal, (call, since) => {
    report.stalled(call === null ? null : { call, since });
  });
  const task = loaded.connector.createTask();
  const flow = flowReport(context.log, 'delivered');
  const readers = await openReaders(parts, assignment, committed, () => loop);
  const loop: SinkLoop = new SinkLoop({
    task,
    calls,
    gate,
    signal,
    readers,
    errors,
    transform: loaded.chain === null ? null : (record) => loaded.chain?.apply(record) ?? null,
    keyConverter: loaded.keyConverter,
    valueConverter: loaded.valueConverter,
    headerConverter: decodeHeader,
    maxRecords: loaded.limits.maxRecords,
    flushIntervalMs: loaded.offsetFlushIntervalMs,
    commit: committer(parts),
    onPaused: (paused) => {
      report.paused(paused);
    },
    onDelivered: flow.count,
  });
  await calls.run('start', () =>
    task.start(sinkContext(parts, assignment, loop, errors), loaded.config, params.config),
  );
  return {
    done: loop
      .run()
      .finally(() => calls.run('stop', () => task.stop()))
      .finally(flow.close),
  };
}

/** The queues of the connector's topics, dealt to its tasks in turn. Topics that do not exist yet are created. */
async function assignedQueues(parts: TaskParts, loaded: LoadedSink): Promise<QueueRef[]> {
  const { params } = parts.context;
  const topics = new Topics(parts.log, params.settings.topicCreation ? topicSettings(params.settings) : null);
  const names = new Set(loaded.topics);
  if (loaded.topicsRegex !== null) {
    for (const { name } of await parts.log.listTopics()) if (loaded.topicsRegex.test(name)) names.add(name);
  }
  const all: QueueRef[] = [];
  for (const topic of [...names].sort()) {
    const queues = await topics.ensure(topic);
    for (let queue = 0; queue < queues; queue += 1) all.push({ topic, queue });
  }
  if (all.length === 0)
    throw new ConfigError('no topic matches "topics" or "topics.regex"', { code: 'NO_TOPICS' });
  const index = parseUnitKey(params.unit).task ?? 0;
  return all.filter((_, i) => i % params.taskCount === index);
}

async function openReaders(
  parts: TaskParts,
  assignment: readonly QueueRef[],
  committed: ReadonlyMap<string, number>,
  loop: () => SinkLoop,
): Promise<QueueReader[]> {
  const maxBytes = Math.max(1, Math.floor(READ_AHEAD_BYTES / Math.max(1, assignment.length)));
  const readers: QueueReader[] = [];
  for (const { topic, queue } of assignment) {
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
      onError: (error: unknown) => {
        loop().fail(error);
      },
    };
    // A new sink starts with the oldest record there is: offset 0 reads on from there.
    readers.push(new QueueReader(options, committed.get(queueKey({ topic, queue })) ?? 0));
  }
  return readers;
}

/** From here on retention by size waits for this sink, also before its first commit. */
async function registerGroup(
  parts: TaskParts,
  assignment: readonly QueueRef[],
  committed: ReadonlyMap<string, number>,
): Promise<void> {
  const fresh = assignment.filter((queue) => !committed.has(queueKey(queue)));
  if (fresh.length === 0) return;
  await parts.log.commitOffsets(
    groupOf(parts.context.params.unit),
    fresh.map((queue) => ({ ...queue, offset: 0 })),
  );
}

/** Offsets go to the offset topic, which is the authority, and are mirrored into the group that tools look at. */
function committer(parts: TaskParts): (offsets: readonly QueueOffset[]) => Promise<void> {
  const { log } = parts;
  const { unit, epoch, node, settings } = parts.context.params;
  const group = groupOf(unit);
  const encoder = progressEncoder<OffsetEntry>(node, unit);
  return async (items) => {
    const batch = encodeValues([encoder.encode({ type: 'PROGRESS', unit, epoch, items })]);
    await log.append({
      entries: [{ topic: settings.offsetTopic, queue: 0, batch }],
      fence: { key: unit, epoch },
    });
    await log.commitOffsets(group, items);
  };
}

function sinkContext(
  parts: TaskParts,
  assignment: readonly QueueRef[],
  loop: SinkLoop,
  errors: RecordErrors,
): SinkTaskContext {
  const { params, log, signal } = parts.context;
  const { connector, task } = parseUnitKey(params.unit);
  return {
    connectorName: connector,
    taskId: task ?? 0,
    log: pluginLogger(log),
    signal,
    assignment,
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
    report: ({ topic, queue, offset }, error) =>
      errors.badRecord(new DataError(error.message, { cause: error }), { topic, queue, offset }),
  };
}
