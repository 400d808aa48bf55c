import type { Writer } from '#troupe/core/envelope.js';
import type { Machine } from '#troupe/core/machine.js';
import { Writers } from '#troupe/core/writers.js';
import type { Condition, LogEntry, Network, SimulatedLog } from './world.js';

interface Submission<E, R> {
  readonly seq: number;
  readonly entry: E;
  readonly done: (result: R | null) => void;
}

/** A Replica in virtual time: the real machine, the real rule for repeated entries, one append at a time. */
export class SimulatedReplica<S, E, R> {
  state: S;
  readonly #machine: Machine<S, E, R>;
  readonly #log: SimulatedLog;
  readonly #network: Network;
  readonly #writer: Writer;
  readonly #condition: Condition;
  readonly #writers = new Writers();
  readonly #waiting = new Map<number, Submission<E, R>>();
  #queue: Submission<E, R>[] = [];
  #appending = false;
  #position = 0;
  #seq = 0;

  constructor(
    machine: Machine<S, E, R>,
    log: SimulatedLog,
    network: Network,
    writer: Writer,
    condition: Condition,
  ) {
    this.#machine = machine;
    this.#log = log;
    this.#network = network;
    this.#writer = writer;
    this.#condition = condition;
    this.state = machine.initial();
  }

  digest(): string {
    return this.#machine.digest(this.state);
  }

  /** `done` gets the result when the entry is read back; null when its append failed. */
  submit(entry: E, done: (result: R | null) => void = () => undefined): void {
    this.#seq += 1;
    const submission = { seq: this.#seq, entry, done };
    this.#queue.push(submission);
    this.#waiting.set(this.#seq, submission);
    this.#pump();
  }

  /** Applies what is new, one entry after the other. */
  read(each: (entry: E, at: LogEntry) => void): void {
    for (; this.#position < this.#log.entries.length; this.#position += 1) {
      const at = this.#log.entries[this.#position];
      if (at === undefined || !this.#writers.advance(at.writer, at.seq)) continue;
      const entry = this.#machine.decode(at.entry);
      if (entry === null) throw new Error(`not a valid entry: ${JSON.stringify(at.entry)}`);
      const { state, result } = this.#machine.apply(this.state, entry, at);
      this.state = state;
      each(entry, at);
      if (at.writer === this.#writer) this.#finish(at.seq, result);
    }
  }

  #pump(): void {
    const next = this.#queue[0];
    if (this.#appending || this.#condition.dead || next === undefined) return;
    this.#queue = this.#queue.slice(1);
    this.#appending = true;
    const append = (): void => this.#log.append(this.#writer, next.seq, next.entry);
    this.#network.carry(this.#condition, append, (ok) => {
      this.#appending = false;
      if (!ok && !this.#condition.dead) this.#finish(next.seq, null);
      this.#pump();
    });
  }

  #finish(seq: number, result: R | null): void {
    const submission = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    submission?.done(result);
  }
}
