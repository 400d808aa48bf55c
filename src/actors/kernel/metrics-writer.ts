/** The metrics of this thread's actor, in memory that the supervisor keeps: what was counted before goes on. */
import { linesOf, MAX_LINES, MetricRegistry, type Cell } from '../../sdk/metric-registry.js';
import { isSame, type MetricDefinition } from '../../sdk/metric-definition.js';
import type { TaskMetrics } from '../../sdk/metrics.js';
import { MetricsChunk, type NewEntry } from './metrics-chunk.js';
import { CELL_WORDS, SharedCell } from './shared-cell.js';

/** What a thread is given of the actor's metrics, and what it may add. */
export interface MetricsMemory {
  /** Counts the threads of this actor. */
  readonly life: number;
  /** In order. */
  readonly chunks: readonly SharedArrayBuffer[];
}

interface Place {
  readonly chunk: MetricsChunk;
  readonly at: number;
}

interface WrittenMetric extends Place {
  readonly number: number;
  readonly metric: MetricDefinition;
  readonly series: Map<string, Place>;
}

export interface RegistryOptions {
  /** Shown before each name. The registries of an actor have different ones. */
  readonly prefix: string;
  /** Of all metrics of the actor, when the last of these is made. */
  readonly maxBytes: number;
  readonly onIgnored: () => void;
  readonly onFull: (message: string) => void;
}

export class MetricsWriter {
  readonly #life: number;
  readonly #onChunk: (memory: SharedArrayBuffer) => void;
  readonly #chunks: MetricsChunk[];
  /** All of them, of each name the newest at last. */
  readonly #metrics: WrittenMetric[] = [];
  /** Of all chunks. */
  #bytes: number;

  /** `onChunk` is told of memory that the next thread of this actor needs. */
  constructor({ life, chunks }: MetricsMemory, onChunk: (memory: SharedArrayBuffer) => void) {
    this.#life = life;
    this.#onChunk = onChunk;
    this.#chunks = chunks.map((memory) => new MetricsChunk(memory));
    this.#bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (const chunk of this.#chunks) this.#take(chunk);
    for (const written of this.#metrics) if (written.metric.type === 'gauge') unset(written);
  }

  registry({ prefix, maxBytes, onIgnored, onFull }: RegistryOptions): TaskMetrics {
    const named = (metric: MetricDefinition): MetricDefinition => ({ ...metric, name: prefix + metric.name });
    let lines = 0;
    for (const { metric, series } of this.#metrics)
      if (metric.name.startsWith(prefix)) lines += series.size * linesOf(metric);
    return new MetricRegistry({
      define: (metric) => this.#define(named(metric), maxBytes),
      open: (metric, values) => {
        const written = this.#find(named(metric));
        if (written === undefined) return null;
        const known = written.series.get(JSON.stringify(values));
        if (known !== undefined) return cellsAt(known, metric);
        if (lines + linesOf(metric) > MAX_LINES) return null;
        const place = this.#open(written, values, maxBytes);
        if (place === null) return null;
        lines += linesOf(metric);
        return cellsAt(place, metric);
      },
      onIgnored,
      onFull,
    });
  }

  #take(chunk: MetricsChunk): void {
    for (const entry of chunk.news()) {
      const { at } = entry;
      if (entry.kind === 'metric') this.#know(entry.metric, { chunk, at });
      else this.#metrics[entry.metric]?.series.set(JSON.stringify(entry.values), { chunk, at });
    }
  }

  #know(metric: MetricDefinition, place: Place): WrittenMetric {
    const written = { ...place, number: this.#metrics.length, metric, series: new Map<string, Place>() };
    this.#metrics.push(written);
    return written;
  }

  #find(metric: MetricDefinition): WrittenMetric | undefined {
    const newest = this.#metrics.findLast(({ metric: { name } }) => name === metric.name);
    return newest !== undefined && isSame(newest.metric, metric) ? newest : undefined;
  }

  #define(metric: MetricDefinition, maxBytes: number): boolean {
    let written = this.#find(metric);
    if (written === undefined) {
      const place = this.#add({ kind: 'metric', metric }, 1, maxBytes);
      if (place === null) return false;
      written = this.#know(metric, place);
    }
    new SharedCell(written.chunk.words, written.at).set(this.#life);
    return true;
  }

  #open(
    { number, metric, series }: WrittenMetric,
    values: readonly string[],
    maxBytes: number,
  ): Place | null {
    const place = this.#add({ kind: 'series', metric: number, values }, cellsOf(metric), maxBytes);
    if (place !== null) series.set(JSON.stringify(values), place);
    return place;
  }

  #add(entry: NewEntry, cells: number, maxBytes: number): Place | null {
    const last = this.#chunks.at(-1);
    const at = last?.add(entry, cells) ?? null;
    if (last !== undefined && at !== null) return { chunk: last, at };
    const chunk = MetricsChunk.for(entry, cells);
    const { byteLength } = chunk.memory;
    if (this.#bytes + byteLength > maxBytes) return null;
    const first = chunk.add(entry, cells);
    if (first === null) return null;
    this.#bytes += byteLength;
    this.#chunks.push(chunk);
    this.#onChunk(chunk.memory);
    return { chunk, at: first };
  }
}

function cellsAt({ chunk, at }: Place, metric: MetricDefinition): readonly Cell[] {
  return Array.from({ length: cellsOf(metric) }, (_, i) => new SharedCell(chunk.words, at + i * CELL_WORDS));
}

/** Of one series. */
export function cellsOf({ type, buckets }: MetricDefinition): number {
  return type === 'histogram' ? buckets.length + 2 : 1;
}

/** A gauge says how it is now: what a thread that is gone has said does not count. */
function unset({ series }: WrittenMetric): void {
  for (const { chunk, at } of series.values()) new SharedCell(chunk.words, at).set(NaN);
}
