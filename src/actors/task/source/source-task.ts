import { LogError, type Permit, type QueueEntry, type TopicDescription } from '../../../log/log.js';
import { encodeValues } from '../../../log/replicated-topic.js';
import { ExactAppend, type ExactAppendOptions } from './exact-append.js';
import { progressEncoder } from '../progress-entries.js';
import { partitionKey, type PositionEntry, type Uncovered } from '../../../core/progress/progress-machine.js';
import { RecordMarker, writerMark } from '../../../core/progress/record-marks.js';
import { ConfigError } from '../../../sdk/errors.js';
import { fencingEpoch } from '../../../core/cluster/fencing.js';
import {
  parseUnitKey,
  type PositionWord,
  type ProgressWord,
  type SourcePosition,
  type TransactionPart,
} from '../../../core/model.js';
import type { FileAccess, SourceTaskContext } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { checkTask, PolledRecords } from '../../../plugins/plugin-returns.js';
import { checkPosition, checkRest } from '../../../plugins/plugin-words.js';
import { openSourceLetters } from '../dead-letters/open-letters.js';
import { flowReport } from '../flow-report.js';
import { headerEncoder } from '../../record-headers.js';
import { startPositions } from '../../source-positions.js';
import { presentTolerance, type HotSettings } from '../hot-settings.js';
import { newTopicSettings, type LoadedSource } from '../load-task.js';
import { pluginContext } from '../plugin-context.js';
import { recordErrors } from '../record-errors.js';
import { startPlugin } from '../run-to-end.js';
import { PartitionBound } from './partition-bound.js';
import { queueChoice } from './queue-choice.js';
import { SourceRest } from './source-rest.js';
import { runSource } from './source-loop.js';
import type { SourceConversion, SourceLoopParts } from './source-parts.js';
import { SourceTransactions } from './source-transactions.js';
import { SourceWriter } from './source-writer.js';
import { TopicsUsed } from '../topics-used.js';
import { NOT_ASKED, Topics, differenceOf, type NewTopic } from '../topics.js';

/** Room in a full log may come at any moment: a sink reads on, retention runs. */
const FULL_LOG_RETRY_MS = 500;

/** Fences, finds the positions, starts the plugin and then its loop. */
export async function startSource(parts: TaskParts, loaded: LoadedSource): Promise<StartedTask> {
  const { context, log, gate, calls, report, counters, signals, changes } = parts;
  const { params, signal } = context;
  const { unit, settings } = params;
  const exactly = isExact(parts, loaded);
  const epoch = fencingEpoch(params.epoch, context.incarnation);
  const progress = await context.peers.persistence.ask(
    'open',
    { unit, epoch, kind: 'source' },
    { deadlineMs: 60_000 },
  );
  const { connector } = parseUnitKey(unit);
  const task = checkTask('source', connector, loaded.connector.createTask());
  const marker = exactly ? new RecordMarker(progress.positions) : null;
  const letters = await openSourceLetters(parts, loaded, { transactions: () => transactions, marker });
  const errors = recordErrors(parts, presentTolerance(loaded), undefined, letters);
  const begun: PositionWord[] = [];
  const flow = flowReport(context.log, 'appended');
  // Without the lease another node may be writing for this task by now.
  const leasedOrStopped = async (): Promise<void> => {
    while (!gate.leased && !signal.aborted) await errors.pause(FULL_LOG_RETRY_MS);
  };
  const whileLeased = async <T>(work: (permit: Permit) => Promise<T>): Promise<T> => {
    await leasedOrStopped();
    if (!gate.leased)
      throw new LogError(
        'LOG_FENCED',
        'this node has lost its lease: whoever runs the task next makes its last records again',
      );
    return gate.whileLeased(work);
  };
  const fence = { key: unit, epoch };
  const bound = new PartitionBound(parts.context);
  const positionEntry = positionEntries(parts, epoch, bound);
  const used = new TopicsUsed(parts.context.peers.rebalancer, unit);
  const writer = new SourceWriter({
    log,
    get limits() {
      return loaded.limits;
    },
    fence,
    positionEntry,
    exact: exactly
      ? exactAppend(parts, { fence, positionEntry, whileLeased, uncovered: progress.uncovered })
      : null,
    retry: async (error, attempt) => {
      await errors.backoff('append', error, attempt, FULL_LOG_RETRY_MS);
      await leasedOrStopped();
      if (signal.aborted) throw error;
    },
    onAppended: (records, bytes, topics) => {
      used.used(topics);
      flow.count(records);
      counters.source.appended(records, bytes);
      errors.recovered('append');
    },
  });
  const transactions = new SourceTransactions({
    writer,
    maxBytes: loaded.transactionMaxBytes,
    parts: progress.parts,
    log: context.log,
    note: (code, message) => {
      report.note(code, message);
    },
    now: Date.now,
  });
  const rest = new SourceRest({
    context,
    gate,
    signals: parts.signals,
    holdsRecords: () => transactions.areOpen,
  });
  const loop: SourceLoopParts = {
    rest,
    task,
    polled: new PolledRecords(connector),
    calls,
    gate,
    signal,
    signals,
    changes,
    writer,
    transactions,
    errors,
    topics: topicsOf(parts, loaded),
    ...conversionOf(loaded),
    topic: loaded.topic,
    marker,
    onPaused: (paused) => {
      report.paused(paused);
    },
    begun,
    log: context.log,
    settleTimeoutMs: settings.stopTimeoutMs,
    bound,
    counters: counters.source,
    throttle: parts.throttling,
  };
  const sourced = sourceContext(parts, loaded.files, { positions: progress.positions, begun, rest });
  changes.onTake(() => Object.assign(loop, conversionOf(loaded)));
  await gate.untilLeased();
  return startPlugin(parts, {
    start: () => task.start(sourced, loaded.config, params.config),
    loop: () => runSource(loop),
    stop: () => task.stop(),
    close: () => {
      flow.close();
      errors.close();
    },
  });
}

function conversionOf(loaded: HotSettings): SourceConversion {
  const { chain, keyConverter, valueConverter, headerConverter } = loaded;
  return {
    transform: chain === null ? null : (record) => chain.apply(record),
    keyConverter: keyConverter.instance,
    valueConverter: valueConverter.instance,
    headerConverter: headerEncoder(headerConverter),
  };
}

/** Whether records must be looked for in the log so that none stands there twice. */
function isExact({ log }: TaskParts, { exactlyOnce }: LoadedSource): boolean {
  if (log.capabilities.atomicAppend || exactlyOnce === 'disabled') return false;
  if (exactlyOnce === 'requested') return true;
  throw new ConfigError(
    'exactly.once.support=required cannot be promised on this log, which takes records and positions one after the other: use requested, or the embedded log',
  );
}

function exactAppend(
  { context, log }: TaskParts,
  options: Pick<ExactAppendOptions, 'fence' | 'positionEntry' | 'whileLeased' | 'uncovered'>,
): { readonly append: ExactAppend; readonly writer: number } {
  const writer = writerMark(options.fence.key);
  const append = new ExactAppend({
    ...options,
    log,
    writer,
    onFound: (records) => {
      if (records > 0)
        context.log.info({ records }, 'records that were in the log already are not appended again');
    },
    warn: (message) => {
      context.log.warn({}, message);
    },
  });
  return { append, writer };
}

/** A source that says how its topics are to be, and finds one that is not so, is told. */
function topicsOf({ context, log }: TaskParts, { topicCreation, partitioner }: LoadedSource): Topics {
  const { settings } = context.params;
  const create: NewTopic = (topic) => {
    const ofNode = newTopicSettings(settings);
    return ofNode === null ? null : topicCreation(topic, ofNode);
  };
  const onExisting = (found: TopicDescription): void => {
    const asked = topicCreation(found.name, NOT_ASKED);
    const difference = differenceOf(found, asked, { retention: log.capabilities.trim });
    if (difference !== null) context.log.warn({ topic: found.name }, difference);
  };
  return new Topics(log, create, settings.ownTopics, onExisting, queueChoice(partitioner));
}

interface Said {
  readonly positions: readonly SourcePosition[];
  readonly begun: PositionWord[];
  readonly rest: Pick<SourceRest, 'say'>;
}

function sourceContext(
  parts: TaskParts,
  files: FileAccess,
  { positions, begun, rest }: Said,
): SourceTaskContext {
  return {
    ...pluginContext(parts, files),
    ...startPositions(positions),
    beginAt: (partition, position) => {
      checkPosition('beginAt', { partition, position });
      begun.push({ partition, position });
    },
    retire: (partition) => {
      checkPosition('retire', { partition });
      begun.push({ partition, position: null });
    },
    rest: (until) => {
      rest.say(checkRest(until));
    },
  };
}

/** The entry of the position topic that goes with a batch. */
function positionEntries(
  parts: TaskParts,
  epoch: number,
  bound: PartitionBound,
): (words: readonly ProgressWord[], changed?: Partial<Uncovered>) => QueueEntry {
  const { unit, node, settings } = parts.context.params;
  const encoder = progressEncoder<PositionEntry>(node, unit);
  return (words, changed = {}) => {
    bound.said(words.length);
    const items: SourcePosition[] = [];
    const gone: string[] = [];
    const inside: TransactionPart[] = [];
    for (const word of words) {
      if ('part' in word) inside.push(word.part);
      else if (word.position === null) gone.push(partitionKey(word.partition));
      else items.push({ partition: word.partition, position: word.position });
    }
    const retired = gone.length === 0 ? {} : { retired: gone };
    const parts = inside.length === 0 ? {} : { parts: inside };
    const entry: PositionEntry = { type: 'PROGRESS', unit, epoch, items, ...retired, ...parts, ...changed };
    return { topic: settings.positionTopic, queue: 0, batch: encodeValues([encoder.encode(entry)]) };
  };
}
