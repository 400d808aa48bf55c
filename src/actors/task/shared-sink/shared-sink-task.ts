import { groupOf, parseUnitKey } from '../../../core/model.js';
import { isNotNow, type TopicDescription } from '../../../log/log.js';
import type { SharedConsumer } from '../../../log/shared.js';
import { ConfigError } from '../../../sdk/errors.js';
import type { FileAccess, SinkTask, SinkTaskContext } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { checkTask } from '../../../plugins/plugin-returns.js';
import { openSinkLetters } from '../dead-letters/open-letters.js';
import { reportTo } from '../dead-letters/report.js';
import { appendLetters } from '../dead-letters/sink-letters.js';
import { flowReport } from '../flow-report.js';
import { presentTolerance } from '../hot-settings.js';
import type { LoadedSink } from '../load-task.js';
import { pluginContext } from '../plugin-context.js';
import { recordErrors } from '../record-errors.js';
import { startPlugin } from '../run-to-end.js';
import { SharedSinkLoop } from './shared-sink-loop.js';
import { whenAllExist } from '../sink/queues-to-come.js';
import { SinkTopics } from '../sink/sink-topics.js';
import { TopicsUsed } from '../topics-used.js';

const LOG_AWAY_RETRY_MS = 2000;

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
  const letters = await openSinkLetters(parts, loaded, {
    append: (entries) =>
      appendLetters(parts.log, entries, async (error, attempt) => {
        if (!isNotNow(error) || signal.aborted) throw error;
        await errors.backoff('append', error, attempt, LOG_AWAY_RETRY_MS);
        while (!gate.leased && !signal.aborted) await errors.pause(LOG_AWAY_RETRY_MS);
      }).then(() => {
        errors.recovered('append');
      }),
    onMany: () => {
      loop.requestCommit();
    },
  });
  const tolerance = presentTolerance(loaded);
  const errors = recordErrors(parts, tolerance, undefined, letters);
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
    letters,
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
  const sharing = sharedContext(parts, loaded.files, loop, reportTo({ errors, letters }));
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
  report: SinkTaskContext['report'],
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
    report,
  };
}

function notShareable(): ConfigError {
  return new ConfigError(
    'this connector keeps offsets, and shared records have none that last: use consume.mode=queue',
    { code: 'SINK_NOT_SHAREABLE', field: 'consume.mode' },
  );
}
