/** What sinks were given of what sources made, read from the journal as it grows. */
import { closeSync, openSync, readSync } from 'node:fs';
import { missing, parseLines, type Act } from './journal.js';
import { Runs, type Suspension } from './overlaps.js';

const CHUNK_BYTES = 1 << 20;
const MAX_SHOWN = 50;

/** A source task's records, as they came out of a sink; its key is in one queue, so they come in the order of the topic. */
interface Flow {
  /** Where each number stood first. */
  readonly places: Map<number, string>;
  highest: number;
  lastAt: number;
  duplicated: number;
  redelivered: number;
  reordered: number;
  readonly gaps: number[];
  /** Which one started last, and what it said when it stopped. */
  instance: string;
  made: number;
  /** Of those that stand twice, the first few: number and places. */
  readonly twice: string[];
}

export interface Delivered {
  readonly records: number;
  /** Numbers that no sink was given. */
  readonly lost: number;
  /** Numbers that stand in the topic twice. */
  readonly duplicated: number;
  /** Given to a sink again from the same place, after a crash. */
  readonly redelivered: number;
  /** Numbers that came for the first time after a greater one of their key. */
  readonly reordered: number;
  /** Of one task by two instances at once. */
  readonly double: readonly string[];
}

export interface Pause {
  readonly unit: string;
  readonly longestMs: number;
  /** Of all gaps between new records that are longer than what was asked for. */
  readonly sumMs: number;
}

export class Delivery {
  readonly #file: string;
  readonly #flows = new Map<string, Flow>();
  readonly #runs: Runs;
  #offset = 0;
  #rest = '';

  constructor(file: string, suspensions: readonly Suspension[] = []) {
    this.#file = file;
    this.#runs = new Runs(suspensions);
  }

  /** Reads what is new in the journal. */
  update(): this {
    const file = openSync(this.#file, 'r');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const length = readSync(file, chunk, 0, CHUNK_BYTES, this.#offset);
        if (length === 0) return this;
        this.#offset += length;
        // What the tests' plugins write is ASCII: no character is cut in two.
        const lines = (this.#rest + chunk.toString('latin1', 0, length)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const act of parseLines(lines)) this.#take(act);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Different records that came, of all sources. */
  get records(): number {
    return sum(this.#flows, ({ places }) => places.size);
  }

  /** The new records of each source task. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#flows].map(([unit, { places }]) => [unit, places.size]));
  }

  /** Whether a task of the connector was ever started. */
  started(connector: string): boolean {
    return this.#runs.units.some((unit) => unit.startsWith(`${connector}/`));
  }

  /** Once the sources have stopped for good. */
  result(): Delivered {
    return {
      records: this.records,
      lost: sum(this.#flows, ({ made, places }) => missing(made, places)),
      duplicated: sum(this.#flows, ({ duplicated }) => duplicated),
      redelivered: sum(this.#flows, ({ redelivered }) => redelivered),
      reordered: sum(this.#flows, ({ reordered }) => reordered),
      double: this.#runs.overlaps(),
    };
  }

  /** Where to look: of each source task the first few numbers that were lost, and those that stand twice. */
  faults(): readonly string[] {
    return [...this.#flows].flatMap(([unit, { made, places, twice }]) => {
      const lost: number[] = [];
      for (let number = 1; number <= made && lost.length < MAX_SHOWN; number += 1)
        if (!places.has(number)) lost.push(number);
      return [
        ...(lost.length > 0 ? [`${unit} made ${made}, lost: ${lost.join(', ')}`] : []),
        ...(twice.length > 0 ? [`${unit}, twice: ${twice.join('; ')}`] : []),
      ];
    });
  }

  /** How long no new record of a source task came out, where that was longer than `overMs`. */
  pauses(overMs: number): readonly Pause[] {
    return [...this.#flows].map(([unit, { gaps }]) => {
      const long = gaps.filter((gap) => gap > overMs);
      return { unit, longestMs: Math.max(0, ...long), sumMs: long.reduce((all, gap) => all + gap, 0) };
    });
  }

  #take(act: Act): void {
    const { what, unit, value, instance } = act;
    if (what === 'put') this.#put(act);
    else if (what === 'start' && value !== '') this.#flow(unit).instance = instance;
    else if (what === 'stop' && value !== '') this.#stop(act);
    this.#runs.take(act);
  }

  #put({ unit: sink, queue, offset, value, at }: Act): void {
    const [unit = '', text] = value.split(' ');
    const number = Number(text);
    const flow = this.#flow(unit);
    const place = `${sink.split('/')[0]} ${queue} ${offset}`;
    const known = flow.places.get(number);
    if (known === place) flow.redelivered += 1;
    else if (known !== undefined) {
      flow.duplicated += 1;
      if (flow.twice.length < MAX_SHOWN) flow.twice.push(`${number} at ${known} and ${place}`);
    } else {
      flow.places.set(number, place);
      if (flow.lastAt > 0) flow.gaps.push(at - flow.lastAt);
      flow.lastAt = at;
      if (number < flow.highest) flow.reordered += 1;
      flow.highest = Math.max(flow.highest, number);
    }
  }

  /** A former instance, which was cut off, may stop after the one that started last. */
  #stop({ unit, instance, value }: Act): void {
    const flow = this.#flow(unit);
    if (flow.instance === instance) flow.made = Number(value) - 1;
  }

  #flow(unit: string): Flow {
    let flow = this.#flows.get(unit);
    if (flow === undefined) {
      flow = {
        places: new Map(),
        highest: 0,
        lastAt: 0,
        duplicated: 0,
        redelivered: 0,
        reordered: 0,
        gaps: [],
        instance: '',
        made: 0,
        twice: [],
      };
      this.#flows.set(unit, flow);
    }
    return flow;
  }
}

function sum(flows: ReadonlyMap<string, Flow>, of: (flow: Flow) => number): number {
  return [...flows.values()].reduce((all, flow) => all + of(flow), 0);
}
