/** When new records of each source task came out of a sink, by the journal that the tests' plugins write. */
import { closeSync, openSync, readSync } from 'node:fs';
import { nowMs, parseLines, type Act } from '#troupe/test/support/journal.js';

const CHUNK_BYTES = 1 << 20;

interface Flow {
  highest: number;
  lastAt: number;
  /** Between new records, since the mark. */
  longestMs: number;
  /** Of those that are longer than what is a pause. */
  pausedMs: number;
}

export interface FlowPause {
  readonly flow: string;
  readonly longestMs: number;
  readonly pausedMs: number;
}

/** A gap that began before the mark counts from the mark on. */
export class FarEnd {
  readonly #file: string;
  readonly #pauseMs: number;
  readonly #flows = new Map<string, Flow>();
  readonly #started = new Set<string>();
  #offset = 0;
  #rest = '';
  #mark = 0;

  /** `pauseMs`: a longer gap is a pause. */
  constructor(file: string, pauseMs: number) {
    this.#file = file;
    this.#pauseMs = pauseMs;
  }

  /** From here on it counts. */
  mark(): void {
    this.#update();
    this.#mark = nowMs();
    this.#started.clear();
    for (const flow of this.#flows.values()) {
      flow.longestMs = 0;
      flow.pausedMs = 0;
    }
  }

  /** Since the mark, by source task. */
  pauses(): readonly FlowPause[] {
    this.#update();
    return [...this.#flows].map(([flow, { longestMs, pausedMs }]) => ({ flow, longestMs, pausedMs }));
  }

  /** Tasks that were started since the mark: those that moved. */
  started(): readonly string[] {
    this.#update();
    return [...this.#started];
  }

  #update(): void {
    const file = openSync(this.#file, 'r');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const length = readSync(file, chunk, 0, CHUNK_BYTES, this.#offset);
        if (length === 0) return;
        this.#offset += length;
        // ASCII: no character is cut in two.
        const lines = (this.#rest + chunk.toString('latin1', 0, length)).split('\n');
        this.#rest = lines.pop() ?? '';
        for (const act of parseLines(lines)) this.#take(act);
      }
    } finally {
      closeSync(file);
    }
  }

  #take({ what, unit, value, at }: Act): void {
    if (what === 'start') this.#started.add(unit);
    if (what !== 'put') return;
    const [source = '', text] = value.split(' ');
    const number = Number(text);
    const flow = this.#flows.get(source);
    if (flow === undefined) {
      this.#flows.set(source, { highest: number, lastAt: at, longestMs: 0, pausedMs: 0 });
      return;
    }
    // A source task's records are in one queue, so what is not higher was delivered before.
    if (number <= flow.highest) return;
    const gap = at - Math.max(flow.lastAt, this.#mark);
    flow.highest = number;
    flow.lastAt = at;
    flow.longestMs = Math.max(flow.longestMs, gap);
    if (gap > this.#pauseMs) flow.pausedMs += gap;
  }
}
