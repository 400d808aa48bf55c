/** What the loop of a source works with. */
import type { PositionWord } from '../../../core/model.js';
import type { RecordMarker } from '../../../core/progress/record-marks.js';
import type { PolledRecords } from '../../../plugins/plugin-returns.js';
import type { ConverterInstance, SourceTask } from '../../../sdk/plugin.js';
import type { SourceRecord } from '../../../sdk/record.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import type { Gate } from '../gate.js';
import type { EncodeHeaders } from '../../record-headers.js';
import type { Changes } from '../hot-config.js';
import type { PluginCalls } from '../plugin-calls.js';
import type { RecordErrors } from '../record-errors.js';
import type { Signals } from '../signals.js';
import type { SourceCounters } from '../task-counters.js';
import type { Throttled } from '../throttling.js';
import type { Topics } from '../topics.js';
import type { PartitionBound } from './partition-bound.js';
import type { SourceRest } from './source-rest.js';
import type { SourceTransactions } from './source-transactions.js';
import type { SourceWriter } from './source-writer.js';

/** What may change between two records. */
export interface SourceConversion {
  transform: ((record: SourceRecord) => SourceRecord | null) | null;
  keyConverter: ConverterInstance;
  valueConverter: ConverterInstance;
  headerConverter: EncodeHeaders;
}

export interface SourceLoopParts extends SourceConversion {
  readonly task: SourceTask;
  readonly polled: PolledRecords;
  readonly calls: PluginCalls;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  readonly signals: Signals;
  readonly changes: Pick<Changes, 'isDue' | 'take'>;
  readonly writer: SourceWriter;
  readonly transactions: SourceTransactions;
  readonly topics: Pick<Topics, 'queues' | 'ensure' | 'route'>;
  readonly errors: RecordErrors;
  /** Where a record goes that names no topic. */
  readonly topic: string | null;
  /** Where records are found by marks: exact-append.ts. */
  readonly marker: RecordMarker | null;
  readonly onPaused: (paused: boolean) => void;
  readonly log: Pick<ActorLogger, 'warn'>;
  /** What was polled before a failure has this long to become durable. */
  readonly settleTimeoutMs: number;
  /** Positions that the plugin has said and no record has, and partitions that it has retired; emptied as they are taken. */
  readonly begun: PositionWord[];
  /** Of the connector's source partitions. */
  readonly bound: Pick<PartitionBound, 'check'>;
  readonly counters: Pick<SourceCounters, 'polled' | 'filtered' | 'publish'>;
  readonly rest: Pick<SourceRest, 'take' | 'untilCalled'>;
  readonly throttle: Throttled;
}
