import { percentile } from '../statistics.js';

export interface Distribution {
  readonly runs: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly max: number;
}

export function distribution(values: readonly number[]): Distribution {
  const at = (share: number): number => round(percentile(values, share));
  return { runs: values.length, min: at(0), p50: at(0.5), p90: at(0.9), max: at(1) };
}

/** Whole where it is large. */
export function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}

/** Progress and the summary; standard output has the JSON alone. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function sayDistribution(what: string, { runs, min, p50, p90, max }: Distribution): void {
  say(`  ${what.padEnd(44)} min ${min}  p50 ${p50}  p90 ${p90}  max ${max}  (${runs} values)`);
}

/** A part's figures, and what of it must not be. */
export interface PartResult {
  readonly figures: object;
  /** Records that were lost, tasks that ran twice: the benchmark fails. */
  readonly faults: readonly string[];
}
