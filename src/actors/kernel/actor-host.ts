/** What every actor's thread does: loads the behavior, starts it, and answers to the supervisor. */
import { format } from 'node:util';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { Begin, FromThread, SpareData, ThreadData, ToThread } from './control.js';
import { createLogger } from './logging.js';
import { MetricsWriter } from './metrics-writer.js';
import { Mailbox } from './mailbox.js';
import type { ActorContext, ActorLogger, Behavior, Protocol, RunningActor } from './protocol.js';
import { startPulse } from './pulse.js';
import { PortRef } from './ref.js';
import { SystemPort } from './system-port.js';
import { toWireError } from './wire-error.js';

/** Of the thread, before a plugin could put another in its place. */
const exit = process.exit.bind(process);

type AnyPeers = Record<string, Protocol>;

type AnyBehavior = Behavior<Protocol, AnyPeers, unknown>;

/** What the file of a thread has loaded already, or can load without looking for files: see scripts/bundle-threads.mjs. */
export interface ThreadCode {
  /** Default: that of the module which the actor's spec names. */
  readonly behavior?: object;
  /** What a spare thread may be told to load, besides modules by their URLs. */
  readonly loads?: Readonly<Record<string, () => Promise<unknown>>>;
  readonly inUse?: CodeInUse;
}

/** The file that the thread runs. */
export interface CodeInUse {
  /** Whether it was given compiled, and V8 could use that. */
  readonly origin: 'none' | 'given' | 'rejected';
  /** All functions that have run by now. */
  readonly compiled: () => Uint8Array;
}

/** By then it runs what an actor of its kind does all the time. */
const CODE_AFTER_MS = 500;

class ActorHost {
  readonly #port: MessagePort;
  readonly #data: ThreadData;
  readonly #given: ThreadCode;
  readonly #log: ActorLogger;
  readonly #system: SystemPort;
  readonly #peers = new Map<string, PortRef<Protocol>>();
  readonly #stopping = new AbortController();
  #mailbox: Mailbox | null = null;
  #codeGiven = false;
  #running: Promise<RunningActor<Protocol>> | null = null;

  constructor(data: ThreadData, given: ThreadCode) {
    const { port } = data;
    this.#port = port;
    this.#data = data;
    this.#given = given;
    this.#log = createLogger(data.log);
    this.#system = new SystemPort(port);
    for (const id of data.peers) this.#peers.set(id, new PortRef(id));
    for (const end of data.channels) this.#peers.get(end.peer)?.connect(end);
  }

  run(): void {
    process.on('uncaughtException', (error) => {
      this.#fail('run', error);
    });
    takeOutput(this.#log);
    startPulse(this.#data.pulse, this.#data);
    this.#port.on('message', (message: ToThread) => {
      this.#receive(message);
    });
    this.#running = this.#start();
    this.#running.then(
      () => {
        this.#post({ type: 'started' });
        setTimeout(() => {
          this.#giveCode();
        }, CODE_AFTER_MS).unref();
      },
      (error: unknown) => {
        // A start that was told to stop may well end by an error: that is its way out.
        if (this.#stopping.signal.aborted) this.#end();
        else this.#fail('start', error);
      },
    );
  }

  async #start(): Promise<RunningActor<Protocol>> {
    const behavior = await load(this.#data.module, this.#given.behavior);
    const running = await behavior.start(this.#context());
    this.#mailbox = new Mailbox({
      id: this.#data.id,
      handlers: running.handlers,
      log: this.#log,
      crash: (error) => {
        this.#fail('run', error);
      },
    });
    void running.done?.then(() => {
      this.#post({ type: 'finished' });
    });
    return running;
  }

  #context(): ActorContext<AnyPeers, unknown> {
    const { id, incarnation, params, metrics, lease } = this.#data;
    return {
      id,
      incarnation,
      params,
      lease,
      metrics: new MetricsWriter(metrics, (memory) => {
        this.#post({ type: 'metrics', memory });
      }),
      peers: Object.fromEntries(this.#peers),
      system: this.#system,
      log: this.#log,
      signal: this.#stopping.signal,
      crash: (error) => {
        this.#fail('run', error);
      },
      passivate: (memo) => {
        if (this.#stopping.signal.aborted) return;
        this.#post({ type: 'passivate', memo });
        void this.#stop();
      },
    };
  }

  #receive(message: ToThread): void {
    switch (message.type) {
      case 'peer':
        this.#peers.get(message.end.peer)?.connect(message.end);
        return;
      case 'serve':
        this.#mailbox?.serve(message.end);
        return;
      case 'stop':
        void this.#stop();
        return;
      case 'answer':
        this.#system.answered(message.call, message.value);
        return;
      case 'refusal':
        this.#system.refused(message.call, message.error);
        return;
      case 'event':
        this.#system.event(message.supervisor, message.event);
        return;
    }
  }

  async #stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    // A failed start ends the thread by itself.
    const running = await this.#running?.catch(() => null);
    if (!running) return;
    try {
      await running.stop?.();
    } catch (error) {
      this.#fail('stop', error);
      return;
    }
    this.#end();
  }

  /** Some time after its start, or at its end when that comes first. */
  #giveCode(): void {
    const { inUse } = this.#given;
    if (inUse === undefined || this.#codeGiven) return;
    if (!this.#data.givesCode && inUse.origin !== 'rejected') return;
    this.#codeGiven = true;
    const bytes = inUse.compiled();
    const compiled = new SharedArrayBuffer(bytes.byteLength);
    new Uint8Array(compiled).set(bytes);
    this.#post({ type: 'code', compiled });
  }

  #end(): void {
    this.#giveCode();
    this.#post({ type: 'stopped' });
    exit(0);
  }

  #fail(during: 'start' | 'run' | 'stop', error: unknown): void {
    this.#post({ type: 'failed', during, error: toWireError(error) });
    exit(1);
  }

  #post(message: FromThread): void {
    this.#port.postMessage(message);
  }
}

/** By its shape, as the module is somebody else's. */
async function load(url: string, given?: object): Promise<AnyBehavior> {
  const module: unknown = given === undefined ? await import(url) : { default: given };
  const found =
    typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  if (!isBehavior(found)) {
    throw new TypeError(
      `${url}: its default export is not an actor's behavior (an object with a start function)`,
    );
  }
  return found;
}

function isBehavior(value: unknown): value is AnyBehavior {
  return typeof value === 'object' && value !== null && 'start' in value && typeof value.start === 'function';
}

/** A thread's output goes through the main thread, without a bound; as log lines it has one, and a context. */
function takeOutput(log: ActorLogger): void {
  const console = globalThis.console;
  for (const [method, level] of [
    ['debug', 'debug'],
    ['log', 'info'],
    ['info', 'info'],
    ['warn', 'warn'],
    ['error', 'error'],
  ] as const) {
    console[method] = (...args: unknown[]) => {
      log[level]({}, format(...args));
    };
  }
  for (const [stream, level] of [
    ['stdout', 'info'],
    ['stderr', 'warn'],
  ] as const) {
    process[stream].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      const text = typeof chunk === 'string' ? chunk : textDecoder.decode(chunk.subarray(0, MAX_OUTPUT));
      if (text.trim() !== '') log[level]({ stream }, text.trimEnd());
      const written = rest.find((argument) => typeof argument === 'function');
      if (written !== undefined) queueMicrotask(() => Reflect.apply(written, undefined, []) as unknown);
      return true;
    };
  }
}

/** Bytes of one write that are looked at; the logger cuts the text again. */
const MAX_OUTPUT = 64 * 1024;
const textDecoder = new TextDecoder();

/** Loads what an actor of its kind needs, and waits to be told which one it is. */
async function waitAsSpare({ port, preload }: SpareData, code: ThreadCode): Promise<void> {
  for (const name of preload) await (code.loads?.[name]?.() ?? import(name));
  port.once('message', ({ data }: Begin) => {
    new ActorHost({ ...data, port }, code).run();
  });
  port.postMessage({ type: 'ready' });
}

/** The one thing that the file of an actor's thread does. */
export function runThread(code: ThreadCode = {}): void {
  if (parentPort === null) throw new Error('this runs only as the thread of an actor');
  // Plugin code can reach both: nothing that it sends there arrives, and no port of the kernel is left for it to find.
  parentPort.close();
  const given = { ...(workerData as ThreadData | SpareData) };
  for (const key of Object.keys(given)) Reflect.deleteProperty(workerData as object, key);
  if ('preload' in given) void waitAsSpare(given, code);
  else new ActorHost(given, code).run();
}
