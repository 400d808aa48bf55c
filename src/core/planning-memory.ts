/** What the thread of a plan may keep in memory, and when it is ended for it. */
import { limitAbove } from './task-heap.js';

const MEGABYTE = 1024 * 1024;

export interface PlanningMemory {
  /** In the heap, or outside of it, after a collection. */
  readonly markBytes: number;
  /** Of V8's heap. */
  readonly hardMb: number;
  /** Of the node; beyond it a notable share is too much. */
  readonly nodeBytes: number;
}

const MARK_MB = 1024;
/** Of the node's memory. There are other threads, and some of them plan as well. */
const SHARE = 0.25;
/** What plugins and their packages may take to load. */
const LEAST_BYTES = 64 * MEGABYTE;

export function planningMemory(nodeBytes: number): PlanningMemory {
  const markBytes = Math.min(MARK_MB * MEGABYTE, Math.max(LEAST_BYTES, SHARE * nodeBytes));
  return { markBytes, hardMb: limitAbove(MARK_MB), nodeBytes };
}

/** What is known of a job's memory. Its thread says itself what it has, but not while its code does not pause. */
export interface JobMemory {
  /** Its thread has collected its garbage, and holds more than the mark still. */
  readonly overMark: boolean;
  /** What its thread said last. */
  readonly saidBytes: number;
  /** What V8 says of its thread without asking it, garbage included; null: V8 does not (before Node.js 22.16). */
  readonly seenBytes: number | null;
  /** By how much the process has grown since its thread said something. */
  readonly grownBytes: number;
}

/** By how much the process has grown since a thread said something, by looks that may come late. */
export class GrowthSinceWord {
  #word: number;
  #since: number;
  #before: number;

  constructor(word: number, processBytes: number) {
    this.#word = word;
    this.#since = processBytes;
    this.#before = processBytes;
  }

  /** `word` counts what the thread has said. True: it has said something since the look before. */
  look(word: number, processBytes: number): boolean {
    const spoke = word !== this.#word;
    // It may have said it right after that look, and have taken since what the process has by now.
    if (spoke) this.#since = Math.min(this.#before, processBytes);
    this.#word = word;
    this.#before = processBytes;
    return spoke;
  }

  bytes(processBytes: number): number {
    return processBytes - this.#since;
  }
}

/** Garbage is included in what is seen from outside. */
const SEEN_SHARE = 1.5;
/** As of tasks: culprits.ts. */
const NOTABLE_SHARE = 0.1;

/**
 * `over`: there is no doubt. `suspected`: the process has grown too much while the thread said nothing, which others
 * may have done.
 */
export function judgeMemory(
  job: JobMemory,
  memory: PlanningMemory,
  processBytes: number,
): 'over' | 'suspected' | null {
  if (job.overMark) return 'over';
  const usual = SEEN_SHARE * memory.markBytes;
  const notable = Math.max(LEAST_BYTES, NOTABLE_SHARE * memory.nodeBytes);
  const most = processBytes > memory.nodeBytes ? Math.min(usual, notable) : usual;
  if (job.seenBytes !== null) return job.seenBytes > most ? 'over' : null;
  return job.grownBytes > 0 && job.saidBytes + job.grownBytes > most ? 'suspected' : null;
}

/** Whether the end of the one cannot be taken for that of the other, which is suspected. */
export function isSmallBeside(other: JobMemory, suspect: JobMemory): boolean {
  const most = ({ saidBytes, grownBytes }: JobMemory): number => saidBytes + Math.max(0, grownBytes);
  return most(other) < most(suspect) / 4;
}

/** Whether the end of a suspect's thread gave back what it was suspected of. Some stays with the process's allocator. */
export function gaveBack(beforeBytes: number, afterBytes: number, suspectedBytes: number): boolean {
  return beforeBytes - afterBytes >= suspectedBytes / 2;
}
