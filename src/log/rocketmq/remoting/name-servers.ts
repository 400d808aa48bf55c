/** The name servers, asked in turn: one that answered is asked until it fails. */
import { body, isClusterInfo, type BrokerData } from './answers.js';
import { RequestCode, ResponseCode } from './codes.js';
import type { ConnectionPool } from './connection-pool.js';
import { RemotingError, refusal } from './errors.js';
import type { Answer, Question } from './frame.js';

/** One that says nothing for so long is passed over. */
const TIMEOUT_MS = 3000;

export class NameServers {
  readonly #addresses: readonly string[];
  readonly #pool: ConnectionPool;
  #current = 0;

  constructor(addresses: readonly string[], pool: ConnectionPool) {
    if (addresses.length === 0)
      throw new RemotingError('LOG_BAD_REQUEST', 'no name server is given. Set namesrvAddr', {
        refused: true,
      });
    this.#addresses = addresses;
    this.#pool = pool;
  }

  /** The first answer that satisfies `enough`, else the last one. Fails when none of them answers. */
  async ask(question: Question, enough: (answer: Answer) => boolean = () => true): Promise<Answer> {
    let last: Answer | null = null;
    let failure: unknown;
    for (const [i, address] of this.#inTurn()) {
      try {
        last = await this.#call(address, question);
        if (!enough(last)) continue;
        this.#current = i;
        return last;
      } catch (error) {
        failure = error;
      }
    }
    if (last === null) throw failure;
    return last;
  }

  /** All that one of them knows at present: those that registered with it and are alive. */
  async brokers(): Promise<readonly BrokerData[]> {
    const what = 'list the brokers';
    const answer = await this.ask({ code: RequestCode.GET_BROKER_CLUSTER_INFO, fields: {} });
    if (answer.code !== ResponseCode.SUCCESS) throw refusal(what, answer);
    return Object.values(body(answer, isClusterInfo, what).brokerAddrTable);
  }

  /** One that is away learns it from the brokers when it is back; fails when all are. */
  async tellAll(question: Question): Promise<readonly Answer[]> {
    const results = await Promise.allSettled(this.#addresses.map((address) => this.#call(address, question)));
    const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failure = results.find((result) => result.status === 'rejected');
    if (answers.length === 0 && failure !== undefined) throw failure.reason;
    return answers;
  }

  #call(address: string, question: Question): Promise<Answer> {
    return this.#pool.call(address, question, { lane: 'call', timeoutMs: TIMEOUT_MS });
  }

  #inTurn(): (readonly [number, string])[] {
    const all = this.#addresses.map((address, i) => [i, address] as const);
    return [...all.slice(this.#current), ...all.slice(0, this.#current)];
  }
}
