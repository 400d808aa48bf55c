import type { QueueEntry } from '../../log/log.js';
import { encodeValues } from '../../log/replicated-topic.js';
import { progressEncoder } from './progress-entries.js';
import type { PositionEntry } from '../../core/progress-machine.js';
import { parseUnitKey, type SourcePosition } from '../../core/model.js';
import type { JsonObject } from '../../sdk/record.js';
import type { SourceTaskContext } from '../../sdk/plugin.js';
import type { StartedTask, TaskParts } from './behavior.js';
import { flowReport } from './flow-report.js';
import { encodeHeader } from './headers.js';
import { topicSettings, type LoadedSource } from './load-task.js';
import { pluginLogger } from './plugin-logger.js';
import { RecordErrors } from './record-errors.js';
import { runSource } from './source-loop.js';
import { SourceWriter } from './source-writer.js';
import { Topics } from './topics.js';

/** Room in a full log may come at any moment: a sink reads on, retention runs. */
const FULL_LOG_RETRY_MS = 500;

/** Fences, finds the positions, starts the plugin and then its loop. */
export async function startSource(parts: TaskParts, loaded: LoadedSource): Promise<StartedTask> {
  const { context, log, gate, calls, report } = parts;
  const { params, signal } = context;
  const { unit, epoch, settings } = params;
  const progress = await context.peers.persistence.ask(
    'open',
    { unit, epoch, kind: 'source' },
    { deadlineMs: 60_000 },
  );
  const task = loaded.connector.createTask();
  const errors = new RecordErrors(loaded.tolerance, context.log, signal, (call, since) => {
    report.stalled(call === null ? null : { call, since });
  });
  await calls.run('start', () =>
    task.start(sourceContext(parts, progress.positions), loaded.config, params.config),
  );
  const flow = flowReport(context.log, 'appended');
  let heldBackSince = 0;
  const writer = new SourceWriter({
    log,
    limits: loaded.limits,
    window: 1,
    fence: { key: unit, epoch },
    positionEntry: positionEntries(parts),
    retry: async (error, attempt) => {
      if (attempt === 1) heldBackSince = Date.now();
      await errors.backoff('append', error, attempt, heldBackSince, FULL_LOG_RETRY_MS);
      if (signal.aborted) throw error;
    },
    onAppended: (records) => {
      flow.count(records);
      if (heldBackSince === 0) return;
      heldBackSince = 0;
      report.stalled(null);
    },
  });
  const loop = runSource({
    task,
    calls,
    gate,
    signal,
    writer,
    errors,
    topics: new Topics(log, settings.topicCreation ? topicSettings(settings) : null),
    transform: loaded.chain === null ? null : (record) => loaded.chain?.apply(record) ?? null,
    keyConverter: loaded.keyConverter.instance,
    valueConverter: loaded.valueConverter.instance,
    headerConverter: encodeHeader,
    topic: loaded.topic,
    onPaused: (paused) => {
      report.paused(paused);
    },
  });
  return { done: loop.finally(() => calls.run('stop', () => task.stop())).finally(flow.close) };
}

function sourceContext(parts: TaskParts, positions: readonly SourcePosition[]): SourceTaskContext {
  const { params, log, signal } = parts.context;
  const { connector, task } = parseUnitKey(params.unit);
  const known = new Map(positions.map((item) => [canonical(item.partition), item.position]));
  return {
    connectorName: connector,
    taskId: task ?? 0,
    log: pluginLogger(log),
    signal,
    position: (partition) => known.get(canonical(partition)) ?? null,
    positions: () => positions,
  };
}

/** Equal partitions have equal text, whatever the order of their keys. */
function canonical(partition: JsonObject): string {
  return JSON.stringify(Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** The entry of the position topic that goes with a batch. */
function positionEntries(parts: TaskParts): (positions: readonly SourcePosition[]) => QueueEntry {
  const { unit, epoch, node, settings } = parts.context.params;
  const encoder = progressEncoder<PositionEntry>(node, unit);
  return (items) => ({
    topic: settings.positionTopic,
    queue: 0,
    batch: encodeValues([encoder.encode({ type: 'PROGRESS', unit, epoch, items })]),
  });
}
