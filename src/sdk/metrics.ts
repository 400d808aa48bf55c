/** What a task counts and measures; `GET /metrics` of its node shows it, with the labels `connector` and `task`. */
export interface MetricOptions {
  /**
   * Begins with a small letter; then small letters, digits and single `_`; at most 60 characters. Shown as
   * `troupe_plugin_<name>`, so begin with your system and end with the unit: `postgres_replication_lag_bytes`,
   * `http_response_seconds`. The name of a counter ends in `_total`, no other does.
   */
  readonly name: string;
  /** A sentence for who reads it; at most 300 characters. */
  readonly help: string;
}

export interface LabelledOptions<Label extends string> extends MetricOptions {
  /** At most 8, as names are; not `connector`, `task` or `le`. */
  readonly labels: readonly Label[];
}

export interface BucketOptions {
  /** Upper bounds, each greater than the one before; 1 to 50. Default: `DEFAULT_BUCKETS`, for seconds. */
  readonly buckets?: readonly number[];
}

/** What is no finite number, or less than 0, is not added, but counted in `troupe_task_metric_values_ignored_total`. */
export interface Counter {
  /** Default 1. */
  add(count?: number): void;
}

/** Shown from when it is first set until the thread ends. What is no finite number is ignored. */
export interface Gauge {
  set(value: number): void;
  /** To what it is; 0 before. */
  add(difference: number): void;
}

/** What is no finite number is ignored. */
export interface Histogram {
  observe(value: number): void;
}

/** One metric for each combination of values. */
export interface Labelled<Label extends string, Metric> {
  /**
   * The one of these values, of each at most 128 characters. Keep it where records pass: finding it costs more than adding to it.
   * Let values be few and known, such as tables: never ids, addresses or texts of errors.
   */
  with(values: Readonly<Record<Label, string | number>>): Metric;
}

/**
 * Adding costs some ten nanoseconds and sends nothing. Register in `start`: the same name gives the same metric again, with
 * what was counted before, also after the thread has died. Throws ConnectError METRIC_INVALID where a name, help, label or
 * bucket is wrong, METRIC_CONFLICT where the name stands for another type, other labels or buckets already. All metrics of a
 * task together may have 1,000 lines (a histogram has one for each bucket, and three); what comes beyond is not counted, and its status
 * says so (`METRICS_LIMIT`).
 * @experimental
 */
export interface TaskMetrics {
  counter<Label extends string>(options: LabelledOptions<Label>): Labelled<Label, Counter>;
  counter(options: MetricOptions): Counter;
  gauge<Label extends string>(options: LabelledOptions<Label>): Labelled<Label, Gauge>;
  gauge(options: MetricOptions): Gauge;
  histogram<Label extends string>(
    options: LabelledOptions<Label> & BucketOptions,
  ): Labelled<Label, Histogram>;
  histogram(options: MetricOptions & BucketOptions): Histogram;
}

/** Seconds, from 5 ms to 10 s. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
