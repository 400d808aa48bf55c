/**
 * The memory of threads that plan, watched from another thread: code that does not pause lets no timer run beside it, and
 * V8 ends the process at its own limit.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import {
  gaveBack,
  GrowthSinceWord,
  isSmallBeside,
  judgeMemory,
  type JobMemory,
  type PlanningMemory,
} from '../../core/planning-memory.js';
import { newPulse, readPulse, type PulseBuffer } from '../kernel/pulse.js';
import { processMemory } from '../kernel/process-memory.js';

/** What a job's thread and its watch share. */
export interface JobPulse {
  readonly pulse: PulseBuffer;
  /** One number: the id of the thread; 0 before it has begun. */
  readonly thread: Int32Array<SharedArrayBuffer>;
  readonly markBytes: number;
}

/** Its thread was ended. */
export class OverMemory extends Error {
  /** false: others may have taken what it was suspected of. */
  readonly certain: boolean;
  constructor(certain: boolean) {
    super('it took too much memory');
    this.certain = certain;
  }
}

interface Watched {
  readonly shared: JobPulse;
  readonly threads: () => readonly Worker[];
  readonly ended: AbortController;
  worker: SeeThrough | null;
  readonly growth: GrowthSinceWord;
  /** As V8 said, the newest last. */
  seen: readonly number[];
  asking: boolean;
  /** Set when it is ended as a suspect: whether it was that. */
  verdict: Promise<boolean> | null;
}

/** Node.js has it from 22.16 on. */
type SeeThrough = Worker & {
  getHeapStatistics?: () => Promise<{
    readonly used_heap_size: number;
    readonly external_memory: number;
  }>;
};

/** A loop takes 3 GB in a second. */
const LOOK_MS = 100;
/** Garbage comes and goes: what counts is the least of so many looks. */
const LOOKS = 2;
/** For a thread to end, and what it held to be given back. */
const END_MS = 5000;
const GIVE_BACK_MS = 1000;
const GIVE_BACK_LOOK_MS = 50;

export class PlanningWatch {
  readonly #memory: PlanningMemory;
  /** As many as there are threads at most. */
  readonly #jobs = new Set<Watched>();
  /** Bytes of the process, the newest last. */
  #process: readonly number[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(memory: PlanningMemory) {
    this.#memory = memory;
  }

  /** Rejects with OverMemory when it had to end the thread; `threads` are those that the job may be in. */
  async run<T>(
    threads: () => readonly Worker[],
    signal: AbortSignal,
    work: (shared: JobPulse, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const watched = this.#begin(threads);
    try {
      return await work(watched.shared, AbortSignal.any([signal, watched.ended.signal]));
    } catch (error) {
      if (!watched.ended.signal.aborted || signal.aborted) throw error;
      throw new OverMemory(watched.verdict === null || (await watched.verdict));
    } finally {
      this.#end(watched);
    }
  }

  #begin(threads: () => readonly Worker[]): Watched {
    const watched: Watched = {
      shared: {
        pulse: newPulse(),
        thread: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
        markBytes: this.#memory.markBytes,
      },
      threads,
      ended: new AbortController(),
      worker: null,
      growth: new GrowthSinceWord(0, processMemory()),
      seen: [],
      asking: false,
      verdict: null,
    };
    this.#jobs.add(watched);
    this.#timer ??= setInterval(() => {
      this.#look();
    }, LOOK_MS);
    return watched;
  }

  #end(watched: Watched): void {
    this.#jobs.delete(watched);
    if (this.#jobs.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#process = [];
  }

  #look(): void {
    const now = processMemory();
    this.#process = [...this.#process, now].slice(-LOOKS);
    const processBytes = Math.min(...this.#process);
    const running = [...this.#jobs].filter((job) => this.#follow(job, now));
    const known = (job: Watched): JobMemory => memoryOf(job, processBytes);
    const suspects: Watched[] = [];
    for (const watched of running) {
      if (watched.ended.signal.aborted) continue;
      const found = judgeMemory(known(watched), this.#memory, processBytes);
      if (found === 'over') watched.ended.abort();
      else if (found === 'suspected') suspects.push(watched);
    }
    for (const suspect of suspects) {
      const others = running.filter((job) => job !== suspect);
      const sure = others.every((job) => isSmallBeside(known(job), known(suspect)));
      suspect.verdict = sure ? this.#wasIt(suspect, now) : Promise.resolve(false);
      suspect.ended.abort();
    }
  }

  /** false: it has not begun. */
  #follow(watched: Watched, used: number): boolean {
    const id = Atomics.load(watched.shared.thread, 0);
    if (id === 0) return false;
    watched.worker ??= watched.threads().find(({ threadId }) => threadId === id) ?? null;
    // It may have given back since what was seen.
    if (watched.growth.look(readPulse(watched.shared.pulse).beat, used)) watched.seen = [];
    void this.#ask(watched);
    return true;
  }

  /** V8 answers between two of the thread's instructions, whatever it does. */
  async #ask(watched: Watched): Promise<void> {
    if (watched.asking || watched.worker?.getHeapStatistics === undefined) return;
    watched.asking = true;
    try {
      const { used_heap_size: heap, external_memory: external } = await watched.worker.getHeapStatistics();
      watched.seen = [...watched.seen, heap + external].slice(-LOOKS);
    } catch {
      // Its thread has ended.
    } finally {
      watched.asking = false;
    }
  }

  /** By what its end gives back. */
  async #wasIt({ worker, growth }: Watched, used: number): Promise<boolean> {
    const suspected = growth.bytes(used);
    if (worker === null) return false;
    await once(worker, 'exit', { signal: AbortSignal.timeout(END_MS) }).catch(() => undefined);
    for (let waited = 0; waited < GIVE_BACK_MS; waited += GIVE_BACK_LOOK_MS) {
      if (gaveBack(used, processMemory(), suspected)) return true;
      await sleep(GIVE_BACK_LOOK_MS);
    }
    return false;
  }
}

function memoryOf({ shared, worker, seen, growth }: Watched, processBytes: number): JobMemory {
  const { overSoftLimit, overExternalLimit, heapUsedBytes, externalBytes } = readPulse(shared.pulse);
  return {
    overMark: overSoftLimit || overExternalLimit,
    saidBytes: heapUsedBytes + externalBytes,
    seenBytes: worker?.getHeapStatistics === undefined ? null : seen.length < LOOKS ? 0 : Math.min(...seen),
    grownBytes: growth.bytes(processBytes),
  };
}
