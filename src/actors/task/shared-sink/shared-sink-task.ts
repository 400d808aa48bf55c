import { groupOf, parseUnitKey } from '../../../core/model.js';
import type { TopicDescription } from '../../../log/log.js';
import type { SharedConsumer } from '../../../log/shared.js';
import { ConfigError } from '../../../sdk/errors.js';
import type { FileAccess, SinkTask, SinkTaskContext } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { checkTask } from '../../../plugins/plugin-returns.js';
import { flowReport } from '../flow-report.js';
import { presentTolerance } from '../hot-settings.js';
import type { LoadedSink } from '../load-task.js';
import { pluginContext } from '../plugin-context.js';
import { recordErrors, type RecordErrors } from '../record-errors.js';
import { startPlugin } from '../run-to-end.js';
import { placeOf } from '../../sink-record.js';
import { SharedSinkLoop } from './shared-sink-loop.js';
import { whenAllExist } from '../sink/queues-to-come.js';
import { SinkTopics } from '../sink/sink-topics.js';
import { TopicsUsed } from '../topics-used.js';

export type OpenShared = (group: {
  readonly group: string;
  readonly topics: readonly string[];
  readonly maxAttempts: number;
}) => Promise<SharedConsumer>;

/**
 * `consume.mode=shared`: no queue is this task's own, so there are no offsets to keep either. The broker remembers
 * what was acknowledged.
 */
export async function startSharedSink(
  parts: TaskParts,
  loaded: LoadedSink,
  open: OpenShared,
): Promise<StartedTask> {
  const { connector } = parseUnitKey(parts.context.params.unit);
  const task = checkTask('sink', connector, loaded.connector.createTask());
  if (loaded.connector.shareable !== true || task.preCommit !== undefined) throw notShareable();
  return whenAllExist(parts, new SinkTopics(parts, loaded), (topics) =>
    startOnTopics(parts, loaded, open, task, topics),
  );
}

async function startOnTopics(
  parts: TaskParts,
  loaded: LoadedSink,
  open: OpenShared,
  task: SinkTask,
  topics: readonly TopicDescription[],
): Promise<StartedTask> {
  const { context, gate, calls, report, signals } = parts;
  const { params, signal } = context;
  if (topics.length === 0) throw new ConfigError('no topic matches "topics.regex"', { code: 'NO_TOPICS' });
  const consumer = await open({
    group: groupOf(params.unit),
    topics: topics.map(({ name }) => name),
    maxAttempts: loaded.maxAttempts,
  });
  const tolerance = presentTolerance(loaded);
  const errors = recordErrors(parts, tolerance);
  const used = new TopicsUsed(context.peers.rebalancer, context.params.unit);
  const flow = flowReport(context.log, 'delivered');
  const loop = new SharedSinkLoop({
    task,
    calls,
    signals,
    gate,
    signal,
    consumer,
    errors,
    tolerance,
    changes: parts.changes,
    conversion: loaded,
    get maxRecords() {
      return loaded.limits.maxRecords;
    },
    throttle: parts.throttling,
    maxAttempts: loaded.maxAttempts,
    get flushIntervalMs() {
      return loaded.offsetFlushIntervalMs;
    },
    onPaused: (paused) => {
      report.paused(paused);
    },
    onDelivered: (records, topic) => {
      flow.count(records);
      used.used([topic]);
    },
    counters: parts.counters.sink,
    onNotAcked: (records) => {
      context.log.warn({ records }, 'records took too long or could not be acknowledged, and come again');
    },
  });
  const sharing = sharedContext(parts, loaded.files, loop, errors);
  try {
    await gate.untilLeased();
    return await startPlugin(parts, {
      start: () => task.start(sharing, loaded.config, params.config),
      loop: () => loop.run(),
      stop: () => task.stop(),
      close: () => {
        flow.close();
        errors.close();
      },
    });
  } catch (error) {
    await consumer.close();
    throw error;
  }
}

function sharedContext(
  parts: TaskParts,
  files: FileAccess,
  loop: SharedSinkLoop,
  errors: RecordErrors,
): SinkTaskContext {
  return {
    ...pluginContext(parts, files),
    assignment: [],
    topicId: () => null,
    seek: () => {
      throw notShareable();
    },
    pause: () => undefined,
    resume: () => undefined,
    requestCommit: () => {
      loop.requestCommit();
    },
    report: (record, error) => errors.badRecord(error, placeOf(record), record),
  };
}

function notShareable(): ConfigError {
  return new ConfigError(
    'this connector keeps offsets, and shared records have none that last: use consume.mode=queue',
    { code: 'SINK_NOT_SHAREABLE', field: 'consume.mode' },
  );
}
