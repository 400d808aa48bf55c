/** What plugins of the tests did, one line each, in a file that the threads of all processes append to. */
import { appendFileSync } from 'node:fs';
import { contentOf } from './node-process.js';

export interface Act {
  readonly what: 'start' | 'stop' | 'poll' | 'put' | 'open' | 'close';
  /** `connector/task`. */
  readonly unit: string;
  readonly pid: number;
  /** One start of the plugin in one thread. */
  readonly instance: string;
  /** Milliseconds of the machine's monotonic clock, which all processes share. */
  readonly at: number;
  /** Of a record that was put, or that is opened or closed. */
  readonly queue: number;
  readonly offset: number;
  /** Of a record; of a queue that is opened or closed, its topic; of a poll, the first of its numbers. */
  readonly value: string;
}

export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Ends each line: one without it was torn when its process was killed. */
const MARK = '.';

/** One write: lines of several processes do not mix. Begins a line of its own, as the last one may be torn. */
export function note(file: string, acts: readonly Act[]): void {
  const lines = acts.map(({ what, unit, pid, instance, at, queue, offset, value }) =>
    [what, unit, pid, instance, at, queue, offset, value, MARK].join('\t'),
  );
  appendFileSync(file, `\n${lines.join('\n')}\n`);
}

/** Whole lines only: the file may be growing. */
export function readJournal(file: string): Act[] {
  const text = contentOf(file)?.toString('utf8') ?? '';
  return parseLines(text.slice(0, text.lastIndexOf('\n') + 1).split('\n'));
}

/** What an act that was torn was to say is not known. */
export function parseLines(lines: readonly string[]): Act[] {
  return lines.map(parseLine).filter((act) => act !== null);
}

function parseLine(line: string): Act | null {
  const [what = '', unit = '', pid, instance = '', at, queue, offset, value = '', mark] = line.split('\t');
  if (mark !== MARK) return null;
  return {
    what: what as Act['what'],
    unit,
    pid: Number(pid),
    instance,
    at: Number(at),
    queue: Number(queue),
    offset: Number(offset),
    value,
  };
}

/** The units of sources that ever started: each says then which number is next. */
export function sourceUnits(acts: readonly Act[]): string[] {
  const starts = acts.filter(({ what, value }) => what === 'start' && value !== '');
  return [...new Set(starts.map(({ unit }) => unit))];
}

/** Of the units those that have not stopped since they started last, or never started. */
export function unstopped(acts: readonly Act[], units: readonly string[]): string[] {
  const stops = lastStops(acts);
  return units.filter((unit) => typeof stops.get(unit) !== 'string');
}

/** How many records of each unit of a source were made durable, by what it said when it stopped last. */
export function made(acts: readonly Act[]): Map<string, number> {
  const stops = [...lastStops(acts)].filter(([, value]) => value !== null && value !== '');
  return new Map(stops.map(([unit, value]): [string, number] => [unit, Number(value) - 1]));
}

/**
 * What each unit said when it stopped; null: it has not. A former instance, which was cut off, may stop after the one
 * that started last, and says nothing of what that has made.
 */
function lastStops(acts: readonly Act[]): ReadonlyMap<string, string | null> {
  const runs = new Map<string, { readonly instance: string; stop: string | null }>();
  for (const { what, unit, instance, value } of acts) {
    if (what === 'start') runs.set(unit, { instance, stop: null });
    const run = runs.get(unit);
    if (what === 'stop' && run?.instance === instance) run.stop = value;
  }
  return new Map([...runs].map(([unit, { stop }]) => [unit, stop]));
}

/**
 * How many of the numbers from 1 up to what a unit has made were not found. More may have been found: a task that is
 * stopped soon after a crash has not made again all that the log holds of it.
 */
export function missing(made: number, found: { has(number: number): boolean }): number {
  let count = 0;
  for (let number = 1; number <= made; number += 1) if (!found.has(number)) count += 1;
  return count;
}

export interface Tally {
  /** Numbers that never came. */
  readonly lost: number;
  /** Numbers that stand at two offsets of the topic. */
  readonly duplicates: number;
  /** Units whose numbers do not stand in their order. */
  readonly disordered: readonly string[];
  readonly records: number;
}

/** Compares what was made with what a sink of one task read from a topic of one queue. */
export function tally(acts: readonly Act[], sink: string): Tally {
  const byOffset = new Map<number, string>();
  for (const { what, unit, offset, value } of acts)
    if (what === 'put' && unit === sink) byOffset.set(offset, value);
  const found = new Map<string, number[]>();
  for (const [, value] of [...byOffset].sort(([a], [b]) => a - b)) {
    const [unit = '', number] = value.split(' ');
    const numbers = found.get(unit) ?? [];
    numbers.push(Number(number));
    found.set(unit, numbers);
  }
  let lost = 0;
  let duplicates = 0;
  const disordered: string[] = [];
  for (const [unit, count] of made(acts)) {
    const numbers = found.get(unit) ?? [];
    const distinct = new Set(numbers);
    lost += missing(count, distinct);
    duplicates += numbers.length - distinct.size;
    if (numbers.some((number, i) => i > 0 && number <= (numbers[i - 1] ?? 0))) disordered.push(unit);
  }
  return { lost, duplicates, disordered, records: byOffset.size };
}
