import type { ThreadFile } from '../actors/kernel/control.js';
import type { ActorSpec } from '../actors/kernel/protocol.js';
import { newThread, type Thread } from './thread-worker.js';

/** Threads to keep, for actors of one module and heap. */
export interface SpareSpec extends Pick<ActorSpec, 'module' | 'thread' | 'heap'> {
  readonly count: number;
  /** None is made before so long after the last start: that would take the time that they are to save. */
  readonly calmMs: number;
  /**
   * What such an actor loads when it starts: URLs of modules, or names that its thread's file knows. Nothing in them may run
   * by being loaded.
   */
  readonly loads: readonly string[];
}

/** Threads that have loaded what an actor needs, and wait to be told which one they are. */
export class SpareThreads {
  readonly #spec: SpareSpec;
  readonly #file: () => ThreadFile | null;
  readonly #onProblem: (message: string) => void;
  readonly #ready: Thread[] = [];
  #loading: Thread | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  /** `file`: what the next one is to run; null: the modules of the kernel. */
  constructor(spec: SpareSpec, file: () => ThreadFile | null, onProblem: (message: string) => void) {
    this.#spec = spec;
    this.#file = file;
    this.#onProblem = onProblem;
  }

  /** How many there are to be taken. */
  get ready(): number {
    return this.#ready.length;
  }

  /** One that suits the actor, if there is one; it is the caller's then. */
  take({ module, heap }: ActorSpec): Thread | null {
    if (module !== this.#spec.module) return null;
    this.refillLater();
    const own = this.#spec.heap;
    if (heap.maxOldMb !== own.maxOldMb || heap.maxYoungMb !== own.maxYoungMb) return null;
    const thread = this.#ready.shift();
    if (thread === undefined) return null;
    for (const event of ['error', 'exit']) thread.worker.removeAllListeners(event);
    thread.worker.ref();
    return thread;
  }

  /** Makes what is missing as soon as it has been calm for a while. */
  refillLater(): void {
    if (this.#stopped || this.#spec.count === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#refill();
    }, this.#spec.calmMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const threads = [...this.#ready.splice(0), ...(this.#loading === null ? [] : [this.#loading])];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  /** One after the other. A failure is not repeated before the next actor starts. */
  #refill(): void {
    if (this.#stopped || this.#loading !== null || this.#ready.length >= this.#spec.count) return;
    const { module, loads } = this.#spec;
    const file = this.#file();
    const data = file === null ? { preload: [module, ...loads] } : { file, preload: loads };
    let thread: Thread;
    try {
      thread = newThread('spare', data, this.#spec);
    } catch (error) {
      this.#onProblem(`a spare thread could not be made: ${String(error)}`);
      return;
    }
    const { worker, port } = thread;
    this.#loading = thread;
    worker.unref();
    port.once('message', () => {
      this.#loading = null;
      if (this.#stopped) return;
      this.#ready.push(thread);
      this.#refill();
    });
    port.unref();
    worker.on('error', (error: unknown) => {
      this.#onProblem(`a spare thread failed: ${String(error)}`);
    });
    worker.on('exit', () => {
      if (this.#loading === thread) this.#loading = null;
      const index = this.#ready.indexOf(thread);
      if (index >= 0) this.#ready.splice(index, 1);
    });
  }
}
