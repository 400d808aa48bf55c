import {
  PLUGIN_PREFIX,
  SINK_METRICS,
  SOURCE_METRICS,
  TASK_METRICS,
} from '../../core/metrics/metric-tables.js';
import type { MetricDefinition } from '../../sdk/metric-definition.js';
import type { Counter, Histogram, TaskMetrics } from '../../sdk/metrics.js';
import { MAX_METRICS_BYTES, RUNTIME_BYTES } from '../kernel/metrics-chunk.js';
import type { MetricsWriter } from '../kernel/metrics-writer.js';

/** A source's records, counted a poll or an append at a time. */
export class SourceCounters {
  readonly #polled: Counter;
  readonly #appended: Counter;
  readonly #appendedBytes: Counter;
  readonly #filtered: Counter;
  /** Not published yet. */
  #dropped = 0;

  constructor(own: OwnMetrics) {
    this.#polled = own.counter(SOURCE_METRICS.polled);
    this.#appended = own.counter(SOURCE_METRICS.appended);
    this.#appendedBytes = own.counter(SOURCE_METRICS.appendedBytes);
    this.#filtered = own.counter(SOURCE_METRICS.filtered);
  }

  polled(records: number): void {
    if (records > 0) this.#polled.add(records);
  }

  /** A transform has dropped a record. On the path of each of them, so it is only published by `publish`. */
  filtered(): void {
    this.#dropped += 1;
  }

  publish(): void {
    if (this.#dropped > 0) this.#filtered.add(this.#dropped);
    this.#dropped = 0;
  }

  appended(records: number, bytes: number): void {
    this.#appended.add(records);
    this.#appendedBytes.add(bytes);
  }
}

/** A sink's records, counted a put at a time. */
export class SinkCounters {
  readonly #read: Counter;
  readonly #put: Counter;
  readonly #filtered: Counter;
  readonly #commits: Counter;
  readonly #putSeconds: Histogram;
  readonly #flushSeconds: Histogram;

  constructor(own: OwnMetrics) {
    this.#read = own.counter(SINK_METRICS.read);
    this.#put = own.counter(SINK_METRICS.put);
    this.#filtered = own.counter(SINK_METRICS.filtered);
    this.#commits = own.counter(SINK_METRICS.commits);
    this.#putSeconds = own.histogram(SINK_METRICS.putSeconds);
    this.#flushSeconds = own.histogram(SINK_METRICS.flushSeconds);
  }

  /** They are done with, in whatever way. `filtered`: those that a transform has dropped. */
  dealtWith(records: number, filtered: number): void {
    this.#read.add(records);
    if (filtered > 0) this.#filtered.add(filtered);
  }

  /** `since`: of `performance.now()`. */
  put(records: number, since: number): void {
    this.#put.add(records);
    this.#putSeconds.observe((performance.now() - since) / 1000);
  }

  flushed(since: number): void {
    this.#flushSeconds.observe((performance.now() - since) / 1000);
  }

  committed(): void {
    this.#commits.add();
  }
}

/** The runtime's own of one kind. */
class OwnMetrics {
  readonly #prefix: string;
  readonly #registry: TaskMetrics;

  constructor(metrics: MetricsWriter, prefix: string) {
    this.#prefix = prefix;
    const none = (): void => undefined;
    this.#registry = metrics.registry({ prefix, maxBytes: MAX_METRICS_BYTES, onIgnored: none, onFull: none });
  }

  counter({ name, help }: MetricDefinition): Counter {
    return this.#registry.counter({ name: name.slice(this.#prefix.length), help });
  }

  histogram({ name, help, buckets }: MetricDefinition): Histogram {
    return this.#registry.histogram({ name: name.slice(this.#prefix.length), help, buckets });
  }
}

/** What is counted in the thread of a task, by the runtime and by its plugin. */
export class TaskCounters {
  readonly #metrics: MetricsWriter;
  readonly skipped: Counter;
  /** Seconds. */
  readonly throttled: Counter;
  readonly plugin: TaskMetrics;
  #source: SourceCounters | null = null;
  #sink: SinkCounters | null = null;

  /** `onProblem` is told once of each code. */
  constructor(metrics: MetricsWriter, onProblem: (code: string, message: string) => void) {
    this.#metrics = metrics;
    const own = new OwnMetrics(metrics, 'troupe_task_');
    this.skipped = own.counter(TASK_METRICS.skipped);
    this.throttled = own.counter(TASK_METRICS.throttled);
    const ignored = own.counter(TASK_METRICS.ignored);
    let isFull = false;
    let isSaid = false;
    this.plugin = metrics.registry({
      prefix: PLUGIN_PREFIX,
      maxBytes: MAX_METRICS_BYTES - RUNTIME_BYTES,
      onIgnored: () => {
        ignored.add();
        if (isFull || isSaid) return;
        isSaid = true;
        onProblem(
          'METRIC_VALUE_IGNORED',
          'the plugin gave one of its metrics what cannot be counted: no number, one less than 0 for a counter, or other labels than it has. It is left out, as are those that follow',
        );
      },
      onFull: (message) => {
        isFull = true;
        onProblem('METRICS_LIMIT', message);
      },
    });
  }

  get source(): SourceCounters {
    return (this.#source ??= new SourceCounters(new OwnMetrics(this.#metrics, 'troupe_source_')));
  }

  get sink(): SinkCounters {
    return (this.#sink ??= new SinkCounters(new OwnMetrics(this.#metrics, 'troupe_sink_')));
  }
}
