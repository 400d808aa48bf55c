/**
 * The queues of topics in the order of their numbers, kept by the name servers for everybody: a route has only those of
 * brokers that are there. Each name server keeps them in a file of its own (`kvConfigPath`), as RocketMQ does with the
 * queues of its own ordered topics; `mqadmin updateKvConfig` and `deleteKvConfig` change them.
 */
import { count, listOf, object, text } from '../../../core/replica/json-shape.js';
import type { Cluster } from './cluster.js';
import { RequestCode, ResponseCode } from './codes.js';
import { refusal } from './errors.js';
import type { Answer, Question } from './frame.js';
import type { BrokerQueue } from './types.js';

const NAMESPACE = 'TROUPE_QUEUES';

/** More than any topic has: what is kept there may be anybody's. */
const MAX_QUEUES = 100_000;

/** So many queues of a broker, whose ids follow each other from the first. */
interface Run {
  readonly broker: string;
  readonly first: number;
  readonly queues: number;
}

const isRuns = listOf(object<Run>({ broker: text, first: count, queues: count }));

export class KeptQueues {
  readonly #cluster: Cluster;
  readonly #onIssue: (message: string, error: unknown) => void;

  constructor(cluster: Cluster, onIssue: (message: string, error: unknown) => void) {
    this.#cluster = cluster;
    this.#onIssue = onIssue;
  }

  /** Null: no name server that answers has them. */
  async get(topic: string): Promise<readonly BrokerQueue[] | null> {
    const question = { code: RequestCode.GET_KV_CONFIG, fields: { namespace: NAMESPACE, key: topic } };
    const answer = await this.#cluster.retrying(() =>
      this.#cluster.nameServers.ask(question, ({ code }) => code === ResponseCode.SUCCESS),
    );
    if (answer.code === ResponseCode.SUCCESS) return this.#parse(topic, answer.fields['value'] ?? '');
    if (answer.code !== ResponseCode.QUERY_NOT_FOUND) this.#report('read', topic, answer);
    return null;
  }

  put(topic: string, queues: readonly BrokerQueue[]): Promise<void> {
    const value = JSON.stringify(toRuns(queues));
    const fields = { namespace: NAMESPACE, key: topic, value };
    return this.#tell('kept', topic, { code: RequestCode.PUT_KV_CONFIG, fields });
  }

  delete(topic: string): Promise<void> {
    const fields = { namespace: NAMESPACE, key: topic };
    return this.#tell('forgotten', topic, { code: RequestCode.DELETE_KV_CONFIG, fields });
  }

  async #tell(what: string, topic: string, question: Question): Promise<void> {
    const answers = await this.#cluster.retrying(() => this.#cluster.nameServers.tellAll(question));
    const failed = answers.find(({ code }) => code !== ResponseCode.SUCCESS);
    if (failed !== undefined) this.#report(what, topic, failed);
  }

  /** What nobody keeps protects from nothing, but need not hold up anything either. */
  #report(what: string, topic: string, answer: Answer): void {
    const message = `the order of the queues of topic ${topic} is not ${what} by a name server: start nothing while a broker is missing`;
    this.#onIssue(message, refusal(message, answer));
  }

  #parse(topic: string, value: string): readonly BrokerQueue[] | null {
    try {
      const runs: unknown = JSON.parse(value);
      if (isRuns(runs) && runs.reduce((sum, { queues }) => sum + queues, 0) <= MAX_QUEUES)
        return fromRuns(runs);
      throw new Error(`it is ${value.slice(0, 100)}`);
    } catch (error) {
      this.#onIssue(`what the name servers keep of the queues of topic ${topic} cannot be understood`, error);
      return null;
    }
  }
}

function toRuns(queues: readonly BrokerQueue[]): readonly Run[] {
  const runs: Run[] = [];
  for (const { broker, queueId } of queues) {
    const last = runs.at(-1);
    if (last?.broker === broker && last.first + last.queues === queueId)
      runs[runs.length - 1] = { ...last, queues: last.queues + 1 };
    else runs.push({ broker, first: queueId, queues: 1 });
  }
  return runs;
}

function fromRuns(runs: readonly Run[]): readonly BrokerQueue[] {
  return runs.flatMap(({ broker, first, queues }) =>
    Array.from({ length: queues }, (_, i) => ({ broker, queueId: first + i })),
  );
}
