import type { MessagePort } from 'node:worker_threads';
import {
  ASK,
  CANCEL,
  FAILURE,
  isFull,
  REPLY,
  SENT,
  TELL,
  WINDOW,
  type ChannelEnd,
  type Counters,
} from './channel.js';
import { ActorError } from './errors.js';
import type { ActorId, AskKind, AskOptions, Protocol, Ref, TellKind } from './protocol.js';
import { fromWireError, isWireError } from './wire-error.js';

const MAX_TIMER_MS = 2 ** 31 - 1;

/** A ref that is plugged anew into each incarnation of its target. */
export class PortRef<P extends Protocol> implements Ref<P> {
  readonly id: ActorId;
  readonly #window: number;
  #link: Link | null = null;
  #incarnation = 0;
  readonly #listeners = new Set<(up: boolean, incarnation: number) => void>();

  constructor(id: ActorId, window = WINDOW) {
    this.id = id;
    this.#window = window;
  }

  get up(): boolean {
    return this.#link !== null;
  }

  tell<K extends TellKind<P>>(kind: K, payload: P['tell'][K], transfer?: readonly ArrayBuffer[]): boolean {
    const link = this.#link;
    if (link === null || isFull(link.counters, this.#window)) return false;
    link.post([TELL, kind, payload], transfer);
    return true;
  }

  ask<K extends AskKind<P>>(
    kind: K,
    request: P['ask'][K]['request'],
    options: AskOptions,
  ): Promise<P['ask'][K]['reply']> {
    const refusal = this.#refusal(kind, options);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      // Both sides are compiled against the same protocol, so what comes back is the reply of this kind.
      this.#link?.ask(kind, request, options, { resolve, reject });
    });
  }

  onChange(listener: (up: boolean, incarnation: number) => void): () => void {
    this.#listeners.add(listener);
    listener(this.up, this.#incarnation);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The supervisor's word: from now on messages go to this incarnation. */
  connect(end: ChannelEnd): void {
    this.#link?.down();
    const link = new Link(this.id, end, () => {
      if (this.#link !== link) return;
      this.#link = null;
      this.#changed();
    });
    this.#link = link;
    this.#incarnation = end.incarnation;
    this.#changed();
  }

  #refusal(kind: string, options: AskOptions): ActorError | null {
    if (options.signal?.aborted === true) return aborted(this.id, kind, options.signal.reason);
    if (this.#link === null)
      return new ActorError('ACTOR_DOWN', `${this.id} is not running: "${kind}" was not asked`);
    if (!isFull(this.#link.counters, this.#window)) return null;
    const message = `${this.id} has ${this.#window} messages of this actor unfinished: "${kind}" was not asked`;
    return new ActorError('MAILBOX_FULL', message);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener(this.up, this.#incarnation);
  }
}

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Pending extends Waiter {
  readonly kind: string;
  readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

/** One channel to one incarnation. The asks that wait are at most the window, as each is sent and not done. */
class Link {
  readonly counters: Counters;
  readonly #target: ActorId;
  readonly #port: MessagePort;
  readonly #pending = new Map<number, Pending>();
  readonly #onDown: () => void;
  #nextId = 0;
  #closed = false;

  constructor(target: ActorId, end: ChannelEnd, onDown: () => void) {
    this.#target = target;
    this.#port = end.port;
    this.counters = end.counters;
    this.#onDown = onDown;
    this.#port.on('message', (message: unknown) => {
      this.#receive(message);
    });
    this.#port.on('close', () => {
      this.down();
    });
  }

  /** Throws DataCloneError, with nothing sent, when the message cannot be cloned. */
  post(message: readonly unknown[], transfer: readonly ArrayBuffer[] | undefined): void {
    this.#port.postMessage(message, transfer);
    Atomics.add(this.counters, SENT, 1);
  }

  ask(kind: string, request: unknown, options: AskOptions, waiter: Waiter): void {
    const id = this.#nextId++;
    this.post([ASK, id, kind, request], options.transfer);
    const { deadlineMs, signal } = options;
    const timer = setTimeout(
      () => {
        const message = `${this.#target} did not answer "${kind}" within ${deadlineMs} ms; the work itself may still be done`;
        this.#abandon(id, new ActorError('ASK_TIMEOUT', message));
      },
      Math.min(deadlineMs, MAX_TIMER_MS),
    );
    const onAbort =
      signal &&
      (() => {
        this.#abandon(id, aborted(this.#target, kind, signal.reason));
      });
    if (onAbort) signal.addEventListener('abort', onAbort);
    this.#pending.set(id, { ...waiter, kind, timer, signal, onAbort });
  }

  down(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.close();
    for (const [id, pending] of this.#pending) {
      this.#take(id);
      pending.reject(
        new ActorError('ACTOR_DOWN', `${this.#target} went down before it answered "${pending.kind}"`),
      );
    }
    this.#onDown();
  }

  #abandon(id: number, error: ActorError): void {
    this.#port.postMessage([CANCEL, id]);
    this.#take(id)?.reject(error);
  }

  #take(id: unknown): Pending | undefined {
    if (typeof id !== 'number') return undefined;
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (pending.onAbort) pending.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }

  #receive(message: unknown): void {
    if (!Array.isArray(message)) return;
    const parts: readonly unknown[] = message;
    const [type, id, value, wire] = parts;
    // Nobody waits any more for an ask that was given up: its late answer ends here.
    const pending = this.#take(id);
    if (pending === undefined) return;
    if (type === REPLY) pending.resolve(value);
    else if (type === FAILURE) pending.reject(this.#failure(pending.kind, value, wire));
  }

  #failure(kind: string, code: unknown, wire: unknown): ActorError {
    if (!isWireError(wire)) return new ActorError('REMOTE_ERROR', `${this.#target} failed "${kind}"`);
    if (code === 'UNKNOWN_MESSAGE') return new ActorError('UNKNOWN_MESSAGE', wire.message);
    return new ActorError('REMOTE_ERROR', wire.message, {
      cause: fromWireError(wire),
      retriable: wire.retriable,
      ...(wire.code === null ? {} : { remoteCode: wire.code }),
    });
  }
}

function aborted(target: ActorId, kind: string, reason: unknown): ActorError {
  return new ActorError('ASK_ABORTED', `the ask "${kind}" to ${target} was given up by its asker`, {
    cause: reason,
  });
}
