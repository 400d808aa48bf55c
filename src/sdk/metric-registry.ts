/** The metrics of a task over cells, whoever keeps these: the runtime in shared memory, the harness in its own. */
import {
  checkMetric,
  checkSame,
  familyOf,
  type MetricDefinition,
  type MetricType,
} from './metric-definition.js';
import type { Counter, Gauge, Histogram, Labelled, TaskMetrics } from './metrics.js';

/** One number of a metric. */
export interface Cell {
  add(amount: number): void;
  set(value: number): void;
}

export interface MetricStore {
  /** Told of each metric before its first series, each time that it is registered. False: no room. */
  define(metric: MetricDefinition): boolean;
  /**
   * Its cells: one; of a histogram one a bucket, one for what is above, and the sum. null: no room, in memory or within
   * `MAX_LINES`.
   */
  open(metric: MetricDefinition, values: readonly string[]): readonly Cell[] | null;
  /** A value was not counted. */
  readonly onIgnored: () => void;
  /** Told once, in a sentence. */
  readonly onFull: (message: string) => void;
}

/** Of all metrics of a task together. */
export const MAX_LINES = 1000;
const MAX_LABEL_CHARS = 128;

/** Of one combination of label values: a histogram has one for each bucket, one above, a count and a sum. */
export function linesOf({ type, buckets }: MetricDefinition): number {
  return type === 'histogram' ? buckets.length + 3 : 1;
}

type Metric = Counter | Gauge | Histogram;

interface Known {
  readonly definition: MetricDefinition;
  readonly handle: Metric | Labelled<string, Metric>;
}

export class MetricRegistry implements TaskMetrics {
  readonly #store: MetricStore;
  /** Bounded by `MAX_LINES`: each takes one at least, those beyond are not kept. */
  readonly #known = new Map<string, Known>();
  #full = false;
  readonly #nowhere: Cell;

  constructor(store: MetricStore) {
    this.#store = store;
    this.#nowhere = { add: store.onIgnored, set: store.onIgnored };
  }

  counter(options: unknown): Counter & Labelled<string, Counter> {
    return this.#register('counter', options, (cells) => new CounterHandle(this.#first(cells), this.#store));
  }

  gauge(options: unknown): Gauge & Labelled<string, Gauge> {
    return this.#register('gauge', options, (cells) => new GaugeHandle(this.#first(cells), this.#store));
  }

  histogram(options: unknown): Histogram & Labelled<string, Histogram> {
    return this.#register(
      'histogram',
      options,
      (cells, { buckets }) => new HistogramHandle(cells, buckets, this.#store),
    );
  }

  #first(cells: readonly Cell[]): Cell {
    return cells[0] ?? this.#nowhere;
  }

  /** The overloads of `TaskMetrics` say which of the two it is: that follows from the labels. */
  #register<M extends Metric>(
    type: MetricType,
    options: unknown,
    make: (cells: readonly Cell[], definition: MetricDefinition) => M,
  ): M & Labelled<string, M> {
    const definition = checkMetric(type, options);
    const family = familyOf(definition.name);
    const known = this.#known.get(family);
    if (known !== undefined) checkSame(known.definition, definition);
    const isThere = known !== undefined || this.#defined(definition);
    const one = (values: readonly string[]): M | null => {
      const cells = isThere ? this.#open(definition, values) : null;
      return cells === null ? null : make(cells, definition);
    };
    const ignored = make([], definition);
    const handle =
      known?.handle ??
      (definition.labels.length === 0
        ? (one([]) ?? ignored)
        : new LabelledHandle(definition.labels, one, ignored));
    if (isThere) this.#known.set(family, { definition, handle });
    // Of one family all handles are of one type.
    return handle as M & Labelled<string, M>;
  }

  #defined(definition: MetricDefinition): boolean {
    if (this.#known.size < MAX_LINES && this.#store.define(definition)) return true;
    this.#isFull(definition);
    return false;
  }

  #open(definition: MetricDefinition, values: readonly string[]): readonly Cell[] | null {
    const cells = this.#store.open(definition, values);
    if (cells === null) this.#isFull(definition);
    return cells;
  }

  #isFull({ name }: MetricDefinition): void {
    if (this.#full) return;
    this.#full = true;
    this.#store.onFull(
      `the metrics of this task have more than ${MAX_LINES} lines, or texts that are too long: what comes beyond is not counted, ${name} first. Give labels fewer values`,
    );
  }
}

class LabelledHandle<M extends Metric> implements Labelled<string, M> {
  readonly #labels: readonly string[];
  readonly #make: (values: readonly string[]) => M | null;
  /** What is told of the ones that do not fit, or are none. */
  readonly #ignored: M;
  /** Bounded by `MAX_LINES`. */
  readonly #made = new Map<string, M>();

  constructor(labels: readonly string[], make: (values: readonly string[]) => M | null, ignored: M) {
    this.#labels = labels;
    this.#make = make;
    this.#ignored = ignored;
  }

  with(given: unknown): M {
    const values = this.#valuesOf(given);
    if (values === null) return this.#ignored;
    const key = JSON.stringify(values);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = this.#make(values);
    if (made === null) return this.#ignored;
    this.#made.set(key, made);
    return made;
  }

  #valuesOf(given: unknown): readonly string[] | null {
    if (typeof given !== 'object' || given === null) return null;
    const fields: Partial<Record<string, unknown>> = given;
    const values: string[] = [];
    for (const label of this.#labels) {
      const value = fields[label];
      if (typeof value !== 'string' && typeof value !== 'number') return null;
      values.push(wellFormed(String(value).slice(0, MAX_LABEL_CHARS)));
    }
    return values;
  }
}

/** Halves of characters have no UTF-8, and different ones would become the same. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

class CounterHandle implements Counter {
  readonly #cell: Cell;
  readonly #store: MetricStore;

  constructor(cell: Cell, store: MetricStore) {
    this.#cell = cell;
    this.#store = store;
  }

  add(count = 1): void {
    if (typeof count === 'number' && count >= 0 && count < Infinity) this.#cell.add(count);
    else this.#store.onIgnored();
  }
}

class GaugeHandle implements Gauge {
  readonly #cell: Cell;
  readonly #store: MetricStore;

  constructor(cell: Cell, store: MetricStore) {
    this.#cell = cell;
    this.#store = store;
  }

  set(value: number): void {
    if (Number.isFinite(value)) this.#cell.set(value);
    else this.#store.onIgnored();
  }

  add(difference: number): void {
    if (Number.isFinite(difference)) this.#cell.add(difference);
    else this.#store.onIgnored();
  }
}

class HistogramHandle implements Histogram {
  readonly #cells: readonly Cell[];
  readonly #bounds: readonly number[];
  readonly #store: MetricStore;

  constructor(cells: readonly Cell[], bounds: readonly number[], store: MetricStore) {
    this.#cells = cells;
    this.#bounds = bounds;
    this.#store = store;
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > Number(bounds[bucket])) bucket += 1;
    const count = this.#cells[bucket];
    const sum = this.#cells[bounds.length + 1];
    if (!Number.isFinite(value) || count === undefined || sum === undefined) {
      this.#store.onIgnored();
      return;
    }
    count.add(1);
    sum.add(value);
  }
}
