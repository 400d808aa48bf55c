/** Which broker leads which queues of a topic, as the name servers know it; kept, and asked for again in time. */
import { body, isRoute, type BrokerData, type QueueData } from './answers.js';
import { RequestCode, ResponseCode } from './codes.js';
import { RemotingError, refusal } from './errors.js';
import type { NameServers } from './name-servers.js';
import type { BrokerQueue } from './types.js';

const REFRESH_MS = 30_000;
/** A route that a broker's answer cast doubt on is asked for again, but not more often. */
const SUSPECT_MS = 1000;
/** The oldest beyond are forgotten. */
const MAX_ROUTES = 10_000;
const PERM_READ = 4;

interface Broker {
  /** Null: it has none at present. */
  readonly master: string | null;
  readonly queues: number;
}

export interface Route {
  readonly brokers: ReadonlyMap<string, Broker>;
  readonly readable: readonly BrokerQueue[];
}

interface Kept {
  readonly route: Route;
  askedAt: number;
  suspect: boolean;
}

export class Routes {
  readonly #nameServers: NameServers;
  readonly #onIssue: (message: string, error: unknown) => void;
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<Route | null>>();

  constructor(nameServers: NameServers, onIssue: (message: string, error: unknown) => void) {
    this.#nameServers = nameServers;
    this.#onIssue = onIssue;
  }

  /** Null: no name server knows the topic. */
  async get(topic: string, fresh = false): Promise<Route | null> {
    const kept = this.#kept.get(topic);
    if (fresh || kept === undefined) {
      const route = await this.#ask(topic);
      if (route === null) this.#kept.delete(topic);
      return route;
    }
    const age = performance.now() - kept.askedAt;
    if (kept.suspect && age > SUSPECT_MS) await this.#refresh(topic, kept);
    else if (age > REFRESH_MS) void this.#refresh(topic, kept);
    return (this.#kept.get(topic) ?? kept).route;
  }

  /** The address of the master that leads a queue. */
  async master(topic: string, { broker, queueId }: BrokerQueue): Promise<string> {
    let route = await this.get(topic);
    if (queueId >= (route?.brokers.get(broker)?.queues ?? 0)) route = await this.get(topic, true);
    if (route === null) throw unknownTopic(topic);
    const found = route.brokers.get(broker);
    if (found === undefined || found.master === null) {
      this.suspect(topic);
      throw new RemotingError(
        'LOG_UNAVAILABLE',
        `broker ${broker} has no master for topic ${topic} at present, says the name server. Nothing was sent. Start the broker`,
        { refused: true },
      );
    }
    if (queueId < found.queues) return found.master;
    throw new RemotingError(
      'LOG_UNKNOWN_QUEUE',
      `topic ${topic} has ${found.queues} queues on broker ${broker}, no queue ${queueId}. Ask for its queues first`,
      { refused: true },
    );
  }

  suspect(topic: string): void {
    const kept = this.#kept.get(topic);
    if (kept !== undefined) kept.suspect = true;
  }

  forget(topic: string): void {
    this.#kept.delete(topic);
    this.#asking.delete(topic);
  }

  /** No answer, or that there is no such topic, does not outweigh what is known: the brokers know better. */
  async #refresh(topic: string, kept: Kept): Promise<void> {
    kept.askedAt = performance.now();
    try {
      await this.#ask(topic);
    } catch (error) {
      this.#onIssue(`the route of topic ${topic} is not asked for anew; the one known is used`, error);
    }
  }

  #ask(topic: string): Promise<Route | null> {
    const asking = this.#asking.get(topic);
    if (asking !== undefined) return asking;
    const asked: Promise<Route | null> = this.#fetch(topic).finally(() => {
      if (this.#asking.get(topic) === asked) this.#asking.delete(topic);
    });
    this.#asking.set(topic, asked);
    return asked;
  }

  async #fetch(topic: string): Promise<Route | null> {
    const what = `find the brokers of topic ${topic}`;
    const answer = await this.#nameServers.ask(
      { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, fields: { topic, acceptStandardJsonOnly: 'true' } },
      ({ code }) => code === ResponseCode.SUCCESS,
    );
    if (answer.code === ResponseCode.TOPIC_NOT_EXIST) {
      await this.#checkKnowsBrokers(topic);
      return null;
    }
    if (answer.code !== ResponseCode.SUCCESS) throw refusal(what, answer);
    const { queueDatas, brokerDatas } = body(answer, isRoute, what);
    const route = toRoute(queueDatas, brokerDatas);
    this.#keep(topic, route);
    return route;
  }

  /** A name server that has just started knows no topic until the brokers register, every 30 s. */
  async #checkKnowsBrokers(topic: string): Promise<void> {
    const known = new Set((await this.#nameServers.brokers()).map(({ brokerName }) => brokerName));
    const had = [...(this.#kept.get(topic)?.route.brokers.keys() ?? [])];
    const missing = known.size === 0 ? 'any broker' : had.find((broker) => !known.has(broker));
    if (missing === undefined) return;
    throw new RemotingError(
      'LOG_UNAVAILABLE',
      `whether there is a topic ${topic} is unknown: the name server does not know ${missing} at present. Start the broker, or wait until it has registered`,
      { refused: true },
    );
  }

  #keep(topic: string, route: Route): void {
    this.#kept.delete(topic);
    this.#kept.set(topic, { route, askedAt: performance.now(), suspect: false });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_ROUTES) break;
      this.#kept.delete(oldest);
    }
  }
}

function toRoute(queueDatas: readonly QueueData[], brokerDatas: readonly BrokerData[]): Route {
  const masters = new Map(
    brokerDatas.map(({ brokerName, brokerAddrs }) => [brokerName, brokerAddrs['0'] ?? null]),
  );
  const sorted = [...queueDatas].sort((a, b) => (a.brokerName < b.brokerName ? -1 : 1));
  const readable = sorted.filter(({ perm }) => (perm & PERM_READ) !== 0);
  return {
    brokers: new Map(
      sorted.map((data) => [
        data.brokerName,
        {
          master: masters.get(data.brokerName) ?? null,
          queues: Math.max(data.readQueueNums, data.writeQueueNums),
        },
      ]),
    ),
    readable: readable.flatMap(({ brokerName, readQueueNums }) =>
      Array.from({ length: readQueueNums }, (_, queueId) => ({ broker: brokerName, queueId })),
    ),
  };
}

export function unknownTopic(topic: string): RemotingError {
  return new RemotingError('LOG_UNKNOWN_TOPIC', `there is no topic ${topic}. Create it first`, {
    refused: true,
  });
}
