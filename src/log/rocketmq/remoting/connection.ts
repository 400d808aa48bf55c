/** One connection to a server: many requests under way at once, each with its deadline, told apart by `opaque`. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Permit } from '../../log.js';
import { ResponseCode } from './codes.js';
import { RemotingError } from './errors.js';
import { FrameDecoder } from './frame-decoder.js';
import {
  encodeHead,
  encodeResponse,
  MAX_SENT_BYTES,
  type Answer,
  type Frame,
  type Question,
} from './frame.js';
import type { RemotingTls } from './types.js';

/** Each holds a place in memory until it is answered. */
const MAX_PENDING = 8192;
/** Servers close a connection that was idle for 2 minutes: be earlier, so that no request meets the closing. */
const IDLE_MS = 60_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_OPAQUE = 2 ** 31 - 1;

export interface RequestOptions {
  readonly timeoutMs: number;
  /** The answer counts as lost before `timeoutMs` once nothing arrives on the connection, for anybody, for so long. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
  readonly permit?: Permit;
}

interface Pending {
  readonly done: (answer: Answer) => void;
  readonly fail: (error: RemotingError) => void;
}

export interface ConnectionEnd {
  /** Why it ended; null: it was idle, or closed by us. */
  readonly error: Error | null;
}

export interface OpenSocket {
  readonly socket: Socket;
  /** What carries it; with TLS that is another one. */
  readonly tcp: Socket;
}

/** Rejects with the socket's own error. */
export async function openSocket(
  address: string,
  tls: RemotingTls | null,
  timeoutMs: number,
): Promise<OpenSocket> {
  const { host, port } = parseAddress(address);
  const startedAt = performance.now();
  const tcp = connectTcp({ host, port });
  tcp.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  await untilSetUp(tcp, 'connect', timeoutMs);
  if (tls === null) return { socket: tcp, tcp };
  // The one above fails as well.
  tcp.on('error', () => undefined);
  const socket = connectTls({ socket: tcp, host, ...tls, ...(isIP(host) === 0 && { servername: host }) });
  await untilSetUp(socket, 'secureConnect', Math.max(1, timeoutMs - (performance.now() - startedAt)));
  return { socket, tcp };
}

async function untilSetUp(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeoutMs: number,
): Promise<void> {
  socket.setTimeout(timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(event, resolve);
      socket.once('timeout', () => reject(new Error(`no connection within ${Math.round(timeoutMs)} ms`)));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the connection was closed before it was set up')));
    });
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
  socket.removeAllListeners('timeout').setTimeout(0);
}

function parseAddress(address: string): { host: string; port: number } {
  const [, host, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65_535)
    throw new RemotingError('LOG_BAD_REQUEST', `${address} is no address. Write it as host:port`, {
      refused: true,
    });
  return { host, port: Number(port) };
}

export class Connection {
  readonly #address: string;
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #onEnd: (end: ConnectionEnd) => void;
  readonly #decoder = new FrameDecoder();
  readonly #pending = new Map<number, Pending>();
  #opaque = 0;
  #receivedAt = 0;
  #ended = false;
  /** Takes no more requests; ends with the last answer. */
  #retired = false;

  /** `onEnd` is called once, as soon as the connection takes no more requests. */
  constructor(address: string, { socket, tcp }: OpenSocket, onEnd: (end: ConnectionEnd) => void) {
    this.#address = address;
    this.#socket = socket;
    this.#tcp = tcp;
    this.#onEnd = onEnd;
    socket.setTimeout(IDLE_MS);
    socket.on('timeout', () => {
      if (this.#pending.size === 0) this.#end(null);
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the server closed the connection')));
  }

  /** Rejects with a RemotingError, or with the signal's reason. */
  async request(question: Question, options: RequestOptions): Promise<Answer> {
    const { signal, permit } = options;
    signal?.throwIfAborted();
    if (permit?.holds() === false) throw this.#unsent('it may not be sent any more');
    if (this.#ended || this.#retired) throw this.#unsent('the connection is closed');
    if (this.#pending.size >= MAX_PENDING)
      throw this.#unsent(`${MAX_PENDING} requests wait for their answers already`);
    const opaque = (this.#opaque = this.#opaque === MAX_OPAQUE ? 0 : this.#opaque + 1);
    const head = encodeHead(question, opaque);
    const size = head.length + (question.body?.length ?? 0);
    if (size > MAX_SENT_BYTES) throw tooLarge(size);
    const answer = this.#await(opaque, options);
    this.#socket.cork();
    this.#socket.write(head);
    if (question.body !== undefined) this.#socket.write(question.body);
    this.#socket.uncork();
    return answer;
  }

  close(error: RemotingError): void {
    this.#end(null, error);
  }

  #await(opaque: number, { timeoutMs, silenceMs, signal, permit }: RequestOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sentAt = performance.now();
      const settle = (): void => {
        this.#pending.delete(opaque);
        clearTimeout(timer);
        clearInterval(silence);
        signal?.removeEventListener('abort', abort);
        permit?.signal.removeEventListener('abort', cutOff);
        if (this.#retired && this.#pending.size === 0) this.#end(null);
      };
      const fail = (error: Error): void => {
        reject(error);
        settle();
      };
      // Its reason may be anything, and is the caller's own.
      const abort = (): void => fail(signal?.reason as Error);
      // What the server has not read yet, it never will: all that is in buffers, here and in the kernel, is dropped.
      const cutOff = (): void => {
        this.#tcp.resetAndDestroy();
        this.#end(new Error('it was cut off: what was on its way may not be sent any more'));
      };
      const giveUp = (ms: number): void => {
        fail(this.#failed(`no answer within ${Math.round(ms)} ms`));
        if (this.#receivedAt < sentAt) this.#end(new Error('the server is silent'));
      };
      const timer = setTimeout(giveUp, timeoutMs, timeoutMs);
      let receivedAt = this.#receivedAt;
      const silence =
        silenceMs === undefined
          ? undefined
          : setInterval(() => {
              if (this.#receivedAt === receivedAt) giveUp(silenceMs);
              receivedAt = this.#receivedAt;
            }, silenceMs);
      signal?.addEventListener('abort', abort);
      permit?.signal.addEventListener('abort', cutOff);
      this.#pending.set(opaque, {
        fail,
        done: (answer) => {
          resolve(answer);
          settle();
        },
      });
    });
  }

  #receive(chunk: Buffer): void {
    this.#receivedAt = performance.now();
    try {
      for (const frame of this.#decoder.push(chunk)) this.#take(frame);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      this.#end(new Error(`the server does not speak RocketMQ's protocol (${cause.message})`, { cause }));
    }
  }

  #take(frame: Frame): void {
    if (frame.isResponse) {
      // Nobody waits any more for an answer that comes late.
      this.#pending.get(frame.opaque)?.done(frame);
      if (frame.code === ResponseCode.GO_AWAY) this.#retire();
    } else if (!frame.isOneway) {
      const { REQUEST_CODE_NOT_SUPPORTED } = ResponseCode;
      this.#socket.write(
        encodeResponse(REQUEST_CODE_NOT_SUPPORTED, frame.opaque, 'not supported by this client'),
      );
    }
  }

  #retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#onEnd({ error: null });
    if (this.#pending.size === 0) this.#end(null);
  }

  #end(error: Error | null, reason?: RemotingError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    if (!this.#retired) this.#onEnd({ error });
    const failure = reason ?? this.#failed(error?.message ?? 'the connection was closed', error);
    for (const { fail } of [...this.#pending.values()]) fail(failure);
  }

  #unsent(why: string): RemotingError {
    return new RemotingError('LOG_UNAVAILABLE', `nothing was sent to ${this.#address}: ${why}. Try again`, {
      refused: true,
    });
  }

  #failed(why: string, cause?: unknown): RemotingError {
    return new RemotingError(
      'LOG_UNAVAILABLE',
      `${this.#address} did not answer: ${why}. Whether the request was carried out is unknown. Check that the server runs`,
      { refused: false, cause },
    );
  }
}

function tooLarge(size: number): RemotingError {
  return new RemotingError(
    'LOG_BAD_REQUEST',
    `a request of ${size} bytes is more than RocketMQ takes (${MAX_SENT_BYTES}). Send less at once`,
    { refused: true },
  );
}
