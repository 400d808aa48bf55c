/** Records that a source would move, polled from a task that is started for it: runs in a thread of the planning pool. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourcePosition } from '../../core/model.js';
import type { LoadedConverter } from '../../plugins/converter-config.js';
import { checkSerialised, checkTask, PolledRecords } from '../../plugins/plugin-returns.js';
import { checkNote, checkPosition, checkProgress, checkRest } from '../../plugins/plugin-words.js';
import type { TransformChain } from '../../plugins/transform-chain.js';
import type { ParsedConfig } from '../../sdk/config.js';
import { asRetriable } from '../../sdk/errors.js';
import { MetricRegistry } from '../../sdk/metric-registry.js';
import type {
  FileAccess,
  PluginLogger,
  RawConfig,
  SourceConnector,
  SourceTaskContext,
} from '../../sdk/plugin.js';
import type { SourceRecord } from '../../sdk/record.js';
import { headerEncoder, type EncodeHeaders } from '../record-headers.js';
import { startPositions } from '../source-positions.js';
import type { PreviewReply } from './protocol.js';
import { shownError, shownRecord, whenReady } from './shown-records.js';

export interface SourcePreview {
  readonly name: string;
  readonly className: string;
  readonly connector: SourceConnector;
  readonly config: ParsedConfig;
  readonly raw: RawConfig;
  readonly positions: readonly SourcePosition[];
  readonly files: FileAccess;
  readonly log: PluginLogger;
  readonly chain: Pick<TransformChain, 'apply'>;
  readonly keyConverter: LoadedConverter;
  readonly valueConverter: LoadedConverter;
  readonly headerConverter: LoadedConverter;
  readonly limit: number;
  /** Milliseconds since 1970: then it is asked for no more. */
  readonly until: number;
  /** Of texts, together. */
  readonly maxChars: number;
}

type Reply = Pick<PreviewReply, 'records' | 'stopped' | 'error'>;

/** Between two polls that find nothing. */
const PAUSE_MS = 50;

/** Throws what the task throws in `start`; what it throws later is told with the records before. */
export async function previewSource(preview: SourcePreview): Promise<Reply> {
  const { connector, className, config, raw, until } = preview;
  const ending = new AbortController();
  const timer = setTimeout(
    () => {
      ending.abort();
    },
    Math.max(0, until - Date.now()),
  );
  const task = checkTask('source', className, connector.createTask());
  try {
    await task.start(contextOf(preview, ending.signal), config, raw);
    return await pollRecords(preview, () => task.poll(), ending.signal);
  } finally {
    clearTimeout(timer);
    ending.abort();
    await task.stop();
  }
}

async function pollRecords(
  preview: SourcePreview,
  poll: () => Promise<readonly SourceRecord[]> | readonly SourceRecord[],
  signal: AbortSignal,
): Promise<Reply> {
  const { limit, className, maxChars } = preview;
  const polled = new PolledRecords(className);
  const headers = headerEncoder(preview.headerConverter);
  const records: string[] = [];
  let chars = 0;
  while (!signal.aborted) {
    let found: readonly SourceRecord[];
    try {
      found = polled.check(await poll());
    } catch (error) {
      if (signal.aborted) break;
      if (asRetriable(error) === null) return { records, stopped: 'ERROR', error: shownError(error) };
      found = [];
    }
    for (const record of found) {
      const text = await shown(preview, headers, record);
      chars += text.length;
      if (chars > maxChars && records.length > 0) return { records, stopped: 'BYTES' };
      records.push(text);
      if (records.length >= limit) return { records, stopped: null };
    }
    if (found.length === 0) await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  return { records, stopped: 'TIME' };
}

/** As it would be written, so with its converters tried as well. */
async function shown(
  { chain, raw, keyConverter, valueConverter }: SourcePreview,
  headers: EncodeHeaders,
  record: SourceRecord,
): Promise<string> {
  const place = { source_partition: record.sourcePartition, source_position: record.sourcePosition };
  try {
    const changed = await whenReady(() => chain.apply(record));
    if (changed === null) return JSON.stringify({ ...place, dropped: true });
    const topic = changed.topic ?? raw['topic'] ?? raw['connect.topicname'] ?? '';
    await whenReady(() => {
      const { keySchema, key, valueSchema, value } = changed;
      if (key !== null && key !== undefined)
        checkSerialised('key', keyConverter.instance.fromConnectData(topic, keySchema ?? null, key));
      checkSerialised(
        'value',
        valueConverter.instance.fromConnectData(topic, valueSchema ?? null, value ?? null),
      );
      return headers(topic, changed.headers);
    });
    const { queue, timestamp } = changed;
    return shownRecord({ topic, queue, timestamp, ...place }, changed);
  } catch (error) {
    return JSON.stringify({ ...place, error: shownError(error) });
  }
}

/** What it says is checked as ever, and goes nowhere. */
function contextOf({ name, log, files, positions }: SourcePreview, signal: AbortSignal): SourceTaskContext {
  return {
    connectorName: name,
    taskId: 0,
    log,
    signal,
    files,
    metrics: new MetricRegistry({
      define: () => true,
      open: ({ type, buckets }) =>
        Array.from({ length: type === 'histogram' ? buckets.length + 2 : 1 }, () => NOWHERE),
      onIgnored: nothing,
      onFull: nothing,
    }),
    note: (code, message) => {
      checkNote(code, message);
    },
    progress: (said) => {
      checkProgress(said);
    },
    requestReplan: nothing,
    ...startPositions(positions),
    beginAt: (partition, position) => {
      checkPosition('beginAt', { partition, position });
    },
    retire: (partition) => {
      checkPosition('retire', { partition });
    },
    rest: (until) => {
      checkRest(until);
    },
  };
}

function nothing(): void {
  // Nobody is told.
}

const NOWHERE = { add: nothing, set: nothing };
