/** Connections by address: opened when needed, one attempt at a time, with growing pauses while an address is away. */
import { nextDelayMs, type Backoff } from '../../../core/backoff.js';
import { sign } from './acl.js';
import { Connection, openSocket, type RequestOptions } from './connection.js';
import { RemotingError } from './errors.js';
import type { Answer, Question } from './frame.js';
import type { Acl, RemotingTls } from './types.js';
import { timeLeft } from './deadlines.js';

/** Pulls have connections of their own, so that no send waits behind 32 MB that are being read. */
export type Lane = 'call' | 'pull';

export interface CallOptions extends RequestOptions {
  readonly lane: Lane;
}

export interface PoolOptions {
  readonly acl: Acl | null;
  readonly tls: RemotingTls | null;
  readonly random: () => number;
  readonly onIssue: (message: string, error: unknown) => void;
}

const CONNECT_TIMEOUT_MS = 3000;
const RECONNECT: Backoff = { minMs: 50, maxMs: 2000, jitter: 0.5 };
/** Forgotten beyond this, the oldest first: brokers that came and went. */
const MAX_AWAY = 1000;

/** An address that did not take the last connection. */
interface Away {
  readonly attempts: number;
  readonly error: RemotingError;
  readonly until: number;
}

export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #away = new Map<string, Away>();
  #closed: RemotingError | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Fails at once while the address is away. */
  async call(address: string, question: Question, options: CallOptions): Promise<Answer> {
    const { acl } = this.#options;
    const startedAt = performance.now();
    const connection = await this.#connection(address, options.lane);
    const timeoutMs = timeLeft(options.timeoutMs, startedAt);
    return connection.request(acl === null ? question : sign(question, acl), { ...options, timeoutMs });
  }

  async close(reason: RemotingError): Promise<void> {
    this.#closed = reason;
    const open = await Promise.allSettled(this.#connections.values());
    for (const result of open) if (result.status === 'fulfilled') result.value.close(reason);
  }

  #connection(address: string, lane: Lane): Promise<Connection> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    const key = `${lane} ${address}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const away = this.#away.get(address);
    if (away !== undefined && performance.now() < away.until) return Promise.reject(away.error);
    const opening = this.#open(address, key);
    this.#connections.set(key, opening);
    return opening;
  }

  async #open(address: string, key: string): Promise<Connection> {
    try {
      const socket = await openSocket(address, this.#options.tls, CONNECT_TIMEOUT_MS);
      this.#away.delete(address);
      return new Connection(address, socket, ({ error }) => {
        this.#connections.delete(key);
        if (error !== null && this.#closed === null)
          this.#options.onIssue(`the connection to ${address} ended: ${error.message}`, error);
      });
    } catch (error) {
      this.#connections.delete(key);
      throw this.#goneAway(address, error);
    }
  }

  #goneAway(address: string, cause: unknown): RemotingError {
    if (cause instanceof RemotingError) return cause;
    const attempts = (this.#away.get(address)?.attempts ?? 0) + 1;
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new RemotingError(
      'LOG_UNAVAILABLE',
      `cannot connect to ${address} (${why}). Nothing was sent. Check that the server runs, its address, and whether it wants TLS`,
      { refused: true, cause },
    );
    const pauseMs = nextDelayMs(RECONNECT, attempts, this.#options.random());
    this.#away.delete(address);
    this.#away.set(address, { attempts, error, until: performance.now() + pauseMs });
    for (const oldest of this.#away.keys()) {
      if (this.#away.size <= MAX_AWAY) break;
      this.#away.delete(oldest);
    }
    this.#options.onIssue(error.message, cause);
    return error;
  }
}
