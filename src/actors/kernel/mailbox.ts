import type { MessagePort } from 'node:worker_threads';
import { ASK, CANCEL, DONE, FAILURE, REPLY, TAKEN, TELL, type ChannelEnd, type Counters } from './channel.js';
import type { ActorErrorCode } from './errors.js';
import type { ActorId, ActorLogger, AskCall, Handlers, Protocol } from './protocol.js';
import { toWireError } from './wire-error.js';

export interface MailboxOptions {
  readonly id: ActorId;
  readonly handlers: Handlers<Protocol>;
  readonly log: ActorLogger;
  /** A tell that throws has nobody to answer to: the actor crashes. */
  readonly crash: (error: unknown) => void;
}

/** Takes the messages of all askers, in order per asker, to the handlers. */
export class Mailbox {
  readonly #options: MailboxOptions;
  /** Messages that nobody handles, since the start. */
  unknown = 0;

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  serve(end: ChannelEnd): void {
    new Inbound(end, this.#options, (kind) => {
      this.#refuse(end.peer, kind);
    });
  }

  /** Said at powers of two, so that a peer that repeats itself does not flood the log. */
  #refuse(from: ActorId, kind: string): void {
    this.unknown += 1;
    if ((this.unknown & (this.unknown - 1)) !== 0) return;
    this.#options.log.warn(
      { from, kind, unknownMessages: this.unknown },
      'message that this actor does not know',
    );
  }
}

/** One asker's channel. The calls in progress are at most the channel's window. */
class Inbound {
  readonly #from: ActorId;
  readonly #port: MessagePort;
  readonly #counters: Counters;
  readonly #options: MailboxOptions;
  readonly #refuse: (kind: string) => void;
  readonly #calls = new Map<number, Call>();

  constructor(end: ChannelEnd, options: MailboxOptions, refuse: (kind: string) => void) {
    this.#from = end.peer;
    this.#port = end.port;
    this.#counters = end.counters;
    this.#options = options;
    this.#refuse = refuse;
    this.#port.on('message', (message: unknown) => {
      this.#receive(message);
    });
    this.#port.on('close', () => {
      for (const call of this.#calls.values()) call.abort('the asker is gone');
    });
  }

  #receive(message: unknown): void {
    const parts: readonly unknown[] = Array.isArray(message) ? message : [];
    const [type, first, second, third] = parts;
    if (type === TELL) this.#tell(first, second);
    else if (type === ASK && typeof first === 'number') this.#ask(first, second, third);
    else if (type === CANCEL && typeof first === 'number')
      this.#calls.get(first)?.abort('the asker has given up');
    else this.#refuse('(not a message of the kernel)');
  }

  #tell(kind: unknown, payload: unknown): void {
    Atomics.add(this.#counters, TAKEN, 1);
    const handler = lookUp(this.#options.handlers.tell, kind);
    try {
      if (handler === undefined) this.#refuse(String(kind));
      else handler(payload, this.#from);
    } catch (error) {
      this.#options.crash(error);
    } finally {
      Atomics.add(this.#counters, DONE, 1);
    }
  }

  #ask(id: number, kind: unknown, request: unknown): void {
    Atomics.add(this.#counters, TAKEN, 1);
    const handler = lookUp(this.#options.handlers.ask, kind);
    if (handler === undefined) {
      this.#refuse(String(kind));
      this.#fail(
        id,
        new Error(`${this.#options.id} does not know the message "${String(kind)}"`),
        'UNKNOWN_MESSAGE',
      );
      return;
    }
    const call = new Call(this.#from);
    this.#calls.set(id, call);
    try {
      const reply: unknown = handler(request, call);
      if (!(reply instanceof Promise)) {
        this.#reply(id, reply, call);
        return;
      }
      reply.then(
        (value: unknown) => {
          this.#reply(id, value, call);
        },
        (error: unknown) => {
          this.#fail(id, error);
        },
      );
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #reply(id: number, value: unknown, call: Call): void {
    try {
      this.#port.postMessage([REPLY, id, value], call.transferred);
    } catch (error) {
      this.#fail(id, error);
      return;
    }
    this.#done(id);
  }

  #fail(id: number, error: unknown, code: ActorErrorCode = 'REMOTE_ERROR'): void {
    this.#port.postMessage([FAILURE, id, code, toWireError(error)]);
    this.#done(id);
  }

  #done(id: number): void {
    this.#calls.delete(id);
    Atomics.add(this.#counters, DONE, 1);
  }
}

/** The abort controller costs more than a whole small ask, so it is made only for a handler that looks at it. */
class Call implements AskCall {
  readonly from: ActorId;
  transferred: readonly ArrayBuffer[] | undefined;
  #controller: AbortController | null = null;
  #aborted: Error | null = null;

  constructor(from: ActorId) {
    this.from = from;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted !== null) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  transfer(buffers: readonly ArrayBuffer[]): void {
    this.transferred = this.transferred === undefined ? buffers : [...this.transferred, ...buffers];
  }

  abort(reason: string): void {
    this.#aborted ??= new DOMException(reason, 'AbortError');
    this.#controller?.abort(this.#aborted);
  }
}

function lookUp<T>(handlers: Readonly<Record<string, T>>, kind: unknown): T | undefined {
  return typeof kind === 'string' && Object.hasOwn(handlers, kind) ? handlers[kind] : undefined;
}
