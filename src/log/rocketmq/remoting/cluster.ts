/** The servers of one RocketMQ cluster, and how a request gets to the right one. */
import { setMaxListeners } from 'node:events';
import { ResponseCode } from './codes.js';
import { ConnectionPool, type Lane } from './connection-pool.js';
import type { RequestOptions } from './connection.js';
import { RemotingError, refusal } from './errors.js';
import type { Answer, Question } from './frame.js';
import { NameServers } from './name-servers.js';
import { Routes } from './routes.js';
import type { BrokerQueue, RemotingOptions } from './types.js';
import { retrying, timeLeft, whileUnavailable, type RetryOptions } from './deadlines.js';

export interface Master {
  readonly broker: string;
  readonly address: string;
}

export interface BrokerCall extends RequestOptions {
  /** As in "cannot … ". */
  readonly what: string;
  readonly question: Question;
  /** Default: `call`. */
  readonly lane?: Lane;
  /** Response codes that are no failure, besides SUCCESS. */
  readonly accept?: readonly number[];
}

export interface QueueCall extends BrokerCall {
  readonly topic: string;
  readonly queue: BrokerQueue;
}

/** Answers after which the queue may be led by another broker, or be gone. */
const DOUBTFUL: ReadonlySet<number> = new Set([
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.NO_PERMISSION,
  ResponseCode.NOT_LEADER_FOR_QUEUE,
  ResponseCode.GO_AWAY,
]);

export class Cluster {
  readonly routes: Routes;
  readonly nameServers: NameServers;
  readonly #options: RemotingOptions;
  readonly #pool: ConnectionPool;
  readonly #closing = new AbortController();

  constructor(options: RemotingOptions) {
    this.#options = options;
    const onIssue = options.onIssue ?? (() => undefined);
    this.#pool = new ConnectionPool({
      acl: options.acl,
      tls: options.tls,
      random: options.random ?? Math.random,
      onIssue,
    });
    this.nameServers = new NameServers(options.namesrvAddr, this.#pool);
    this.routes = new Routes(this.nameServers, onIssue);
    setMaxListeners(0, this.#closing.signal);
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get deadlineMs(): number {
    return this.#options.deadlineMs;
  }

  /** Tries again while the servers are away or busy, until the deadline; for what may be done twice by default. */
  retrying<T>(
    attempt: (remainingMs: number) => Promise<T>,
    options: Partial<Pick<RetryOptions, 'deadlineMs' | 'mayRetry'>> & { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const { signal, deadlineMs = this.#options.deadlineMs, mayRetry = whileUnavailable } = options;
    const signals = signal === undefined ? [this.closing] : [this.closing, signal];
    return retrying(attempt, { deadlineMs, mayRetry, signals, random: this.#options.random ?? Math.random });
  }

  /** Once; rejects unless the answer is SUCCESS or accepted. */
  async askBroker(address: string, call: BrokerCall): Promise<Answer> {
    const answer = await this.#pool.call(address, call.question, { lane: 'call', ...call });
    if (answer.code === ResponseCode.SUCCESS || call.accept?.includes(answer.code) === true) return answer;
    throw refusal(`${call.what} on ${address}`, answer);
  }

  /** Once, at the master of a queue. */
  async askQueue(call: QueueCall): Promise<Answer> {
    const startedAt = performance.now();
    try {
      const address = await this.#master(call);
      return await this.askBroker(address, { ...call, timeoutMs: timeLeft(call.timeoutMs, startedAt) });
    } catch (error) {
      if (error instanceof RemotingError) this.#doubt(call.topic, error);
      throw error;
    }
  }

  /** Until the deadline. */
  async askNameServer(what: string, question: Question): Promise<Answer> {
    return this.retrying(async () => {
      const answer = await this.nameServers.ask(question);
      if (answer.code !== ResponseCode.SUCCESS) throw refusal(what, answer);
      return answer;
    });
  }

  /** All masters, by name. */
  async masters(): Promise<readonly Master[]> {
    const brokers = await this.retrying(() => this.nameServers.brokers());
    const { cluster } = this.#options;
    const masters = brokers
      .filter((broker) => cluster === undefined || broker.cluster === cluster)
      .flatMap(({ brokerName, brokerAddrs }) => {
        const address = brokerAddrs['0'];
        return address === undefined ? [] : [{ broker: brokerName, address }];
      })
      .sort((a, b) => (a.broker < b.broker ? -1 : 1));
    if (masters.length > 0) return masters;
    throw new RemotingError(
      'LOG_UNAVAILABLE',
      `the name servers know no master${cluster === undefined ? '' : ` of cluster ${cluster}`}. Start a broker, with this name server in its namesrvAddr`,
      { refused: true },
    );
  }

  /** Each until the deadline, all at once. */
  async askMasters(
    masters: readonly Master[],
    call: Omit<BrokerCall, 'timeoutMs'>,
  ): Promise<readonly (readonly [Master, Answer])[]> {
    return Promise.all(
      masters.map(async (master) => {
        const answer = await this.retrying((timeoutMs) =>
          this.askBroker(master.address, { ...call, timeoutMs }),
        );
        return [master, answer] as const;
      }),
    );
  }

  async close(): Promise<void> {
    const reason = new RemotingError('LOG_CLOSED', 'the log is closed', { refused: false });
    this.#closing.abort(reason);
    await this.#pool.close(reason);
  }

  /** Fails as refused: whatever became of the question where the queue is, nothing else was asked. */
  async #master({ what, topic, queue }: QueueCall): Promise<string> {
    try {
      return await this.routes.master(topic, queue);
    } catch (error) {
      if (!(error instanceof RemotingError) || error.refused || error.code === 'LOG_CLOSED') throw error;
      throw new RemotingError(
        error.code,
        `did not ${what}, since its broker is not known: ${error.message}`,
        {
          refused: true,
          cause: error,
        },
      );
    }
  }

  #doubt(topic: string, error: RemotingError): void {
    if (error.responseCode === ResponseCode.TOPIC_NOT_EXIST) this.routes.forget(topic);
    else if (error.responseCode === null || DOUBTFUL.has(error.responseCode)) this.routes.suspect(topic);
  }
}
