/** Reads what an actor's thread has counted. Asks nobody, and may go on while the thread writes, or after its end. */
import type { MetricDefinition } from '../../sdk/metric-definition.js';
import { MetricsChunk } from './metrics-chunk.js';
import { cellsOf } from './metrics-writer.js';
import { CELL_WORDS, readCell, type Words } from './shared-cell.js';

/** One combination of label values. */
export class ReadSeries {
  readonly values: readonly string[];
  readonly #words: Words;
  readonly #at: number;
  readonly #cells: number;

  constructor(values: readonly string[], words: Words, at: number, cells: number) {
    this.values = values;
    this.#words = words;
    this.#at = at;
    this.#cells = cells;
  }

  /** Of a gauge. */
  get isSet(): boolean {
    return Atomics.load(this.#words, this.#at) !== 0 && !Number.isNaN(readCell(this.#words, this.#at));
  }

  /** Its number; of a histogram how many in each bucket alone, and above the last one, and their sum. */
  read(): readonly number[] {
    return Array.from({ length: this.#cells }, (_, i) => readCell(this.#words, this.#at + i * CELL_WORDS));
  }
}

export class ReadMetric {
  readonly metric: MetricDefinition;
  readonly series: ReadSeries[] = [];
  readonly #words: Words;
  readonly #at: number;

  constructor(metric: MetricDefinition, words: Words, at: number) {
    this.metric = metric;
    this.#words = words;
    this.#at = at;
  }

  /** The life of the actor that has registered it last. */
  get life(): number {
    return readCell(this.#words, this.#at);
  }
}

export class MetricsReader {
  readonly #chunks: MetricsChunk[] = [];
  readonly #metrics: ReadMetric[] = [];
  #newest: readonly ReadMetric[] = [];

  /** Those that were there before are passed over: memory of an actor is only added to. */
  add(chunks: readonly SharedArrayBuffer[]): void {
    for (const memory of chunks.slice(this.#chunks.length)) this.#chunks.push(new MetricsChunk(memory));
  }

  /** Of each name the newest. */
  metrics(): readonly ReadMetric[] {
    const before = this.#metrics.length;
    for (const chunk of this.#chunks) {
      for (const entry of chunk.news()) {
        const { at } = entry;
        if (entry.kind === 'metric') {
          this.#metrics.push(new ReadMetric(entry.metric, chunk.words, at));
          continue;
        }
        const read = this.#metrics[entry.metric];
        if (read === undefined || at + cellsOf(read.metric) * CELL_WORDS > chunk.words.length) continue;
        read.series.push(new ReadSeries(entry.values, chunk.words, at, cellsOf(read.metric)));
      }
    }
    if (this.#metrics.length > before)
      this.#newest = [...new Map(this.#metrics.map((read) => [read.metric.name, read])).values()];
    return this.#newest;
  }
}
