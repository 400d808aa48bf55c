import { linesOf, MAX_LINES, MetricRegistry, type Cell } from '../metric-registry.js';
import type { MetricDefinition } from '../metric-definition.js';
import type { TaskMetrics } from '../metrics.js';

export interface RecordedMetric extends MetricDefinition {
  /** Empty: nothing was counted. */
  readonly series: readonly RecordedSeries[];
}

export interface RecordedSeries {
  /** Values by label. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram the count of what was observed. null: a gauge that was not set. */
  readonly value: number | null;
  /** Of a histogram: what was observed up to each bucket's bound, and in all. */
  readonly buckets: readonly number[];
  /** Of a histogram. */
  readonly sum: number;
}

class OwnCell implements Cell {
  value = 0;
  isSet = false;

  add(amount: number): void {
    this.set(this.value + amount);
  }

  set(value: number): void {
    this.value = value;
    this.isSet = true;
  }
}

interface Kept {
  definition: MetricDefinition;
  readonly series: Map<string, { readonly values: readonly string[]; readonly cells: readonly OwnCell[] }>;
}

/**
 * The metrics of a task in a harness, by the rules of the runtime: the same errors at registration, the same bounds, and
 * totals that outlive a kill.
 */
export class RecordedMetrics {
  readonly #kept = new Map<string, Kept>();
  #lines = 0;
  /** Values that were not counted: no numbers, less than 0 for a counter, or other labels than the metric has. */
  ignored = 0;
  /** Why some are not counted; null: there was room for all. */
  full: string | null = null;

  /** For one start of the task. */
  begin(): TaskMetrics {
    for (const { definition, series } of this.#kept.values())
      if (definition.type === 'gauge')
        for (const { cells } of series.values()) for (const cell of cells) cell.isSet = false;
    return new MetricRegistry({
      define: (metric) => {
        this.#keep(metric);
        return true;
      },
      open: (metric, values) => this.#open(metric, values),
      onIgnored: () => {
        this.ignored += 1;
      },
      onFull: (message) => {
        this.full = message;
      },
    });
  }

  get all(): readonly RecordedMetric[] {
    return [...this.#kept.values()].map(({ definition, series }) => ({
      ...definition,
      series: [...series.values()].map(({ values, cells }) => shown(definition, values, cells)),
    }));
  }

  /** The value of one, 0 where nothing was counted; null: there is no such metric, or a gauge that was not set. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    const metric = this.all.find((each) => each.name === name);
    if (metric === undefined) return null;
    const found = metric.series.find((each) =>
      metric.labels.every((label) => each.labels[label] === labels[label]),
    );
    if (found !== undefined) return found.value;
    return metric.type === 'gauge' ? null : 0;
  }

  #keep(definition: MetricDefinition): Kept {
    const known = this.#kept.get(definition.name);
    if (known !== undefined) {
      known.definition = definition;
      return known;
    }
    const kept = { definition, series: new Map() };
    this.#kept.set(definition.name, kept);
    return kept;
  }

  #open(metric: MetricDefinition, values: readonly string[]): readonly Cell[] | null {
    const { series } = this.#keep(metric);
    const key = JSON.stringify(values);
    const known = series.get(key);
    if (known !== undefined) return known.cells;
    if (this.#lines + linesOf(metric) > MAX_LINES) return null;
    this.#lines += linesOf(metric);
    const count = metric.type === 'histogram' ? metric.buckets.length + 2 : 1;
    const cells = Array.from({ length: count }, () => new OwnCell());
    series.set(key, { values, cells });
    return cells;
  }
}

function shown(
  { type, labels }: MetricDefinition,
  values: readonly string[],
  cells: readonly OwnCell[],
): RecordedSeries {
  const named = Object.fromEntries(labels.map((label, i) => [label, values[i] ?? '']));
  const [first] = cells;
  if (type !== 'histogram') {
    const value = type === 'gauge' && first?.isSet !== true ? null : (first?.value ?? 0);
    return { labels: named, value, buckets: [], sum: 0 };
  }
  let count = 0;
  const buckets = cells.slice(0, -1).map((cell) => (count += cell.value));
  return { labels: named, value: count, buckets, sum: cells.at(-1)?.value ?? 0 };
}
