/** Topics: created, deleted, listed, measured. */
import { body, isTopicList, offsetTable } from './answers.js';
import type { Cluster, Master } from './cluster.js';
import { RequestCode, ResponseCode } from './codes.js';
import { RemotingError, refusal } from './errors.js';
import type { Answer } from './frame.js';
import type { Fields } from './types.js';
import type { CreateTopicOptions, QueueStats } from './types.js';

const PERM_READ_WRITE = 6;
/** Dead letters, retries and the queues of the light-weight topics belong to others. */
const DERIVED = /^(%|rmq_sys_)|_REPLY_TOPIC$/i;

export class Topics {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async create(topic: string, { queues, brokers, attributes }: CreateTopicOptions): Promise<void> {
    const masters = (await this.#cluster.masters()).slice(0, brokers);
    const named = Object.entries({ 'message.type': 'NORMAL', ...attributes });
    const fields: Fields = {
      topic,
      defaultTopic: topic,
      readQueueNums: String(queues),
      writeQueueNums: String(queues),
      perm: String(PERM_READ_WRITE),
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      attributes: named.map(([name, value]) => `+${name}=${value}`).join(','),
    };
    await this.#cluster.askMasters(masters, {
      what: `create topic ${topic}`,
      question: { code: RequestCode.UPDATE_AND_CREATE_TOPIC, fields },
    });
    await this.#cluster.retrying(() => this.#checkRoute(topic, masters, queues));
  }

  async delete(topic: string): Promise<void> {
    const what = `delete topic ${topic}`;
    const fields = { topic };
    await this.#cluster.askMasters(await this.#cluster.masters(), {
      what,
      question: { code: RequestCode.DELETE_TOPIC_IN_BROKER, fields },
    });
    const answers = await this.#cluster.retrying(() =>
      this.#cluster.nameServers.tellAll({ code: RequestCode.DELETE_TOPIC_IN_NAMESRV, fields }),
    );
    this.#cluster.routes.forget(topic);
    const failed = answers.find(({ code }) => code !== ResponseCode.SUCCESS);
    if (failed !== undefined) throw refusal(what, failed);
  }

  async list(): Promise<readonly string[]> {
    const [all, ofNameServer, ofBroker] = await Promise.all([
      this.#names(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER),
      this.#names(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS),
      this.#systemNames(),
    ]);
    const system = new Set([...ofNameServer, ...ofBroker]);
    return all.filter((name) => !system.has(name) && !DERIVED.test(name)).sort();
  }

  async stats(topic: string): Promise<readonly QueueStats[] | null> {
    const route = await this.#cluster.retrying(() => this.#cluster.routes.get(topic));
    if (route === null) return null;
    const names = [...route.brokers.keys()];
    const perBroker = await Promise.all(
      names.map((broker) =>
        this.#cluster.retrying(async (timeoutMs) => {
          const what = `measure topic ${topic}`;
          const question = { code: RequestCode.GET_TOPIC_STATS_INFO, fields: { topic } };
          const queue = { broker, queueId: 0 };
          return toStats(await this.#cluster.askQueue({ what, question, topic, queue, timeoutMs }), what);
        }),
      ),
    );
    return perBroker.flat();
  }

  /** Of a topic's queues on one broker; empty when the broker does not have the topic. */
  async statsOn(master: Master, topic: string): Promise<readonly QueueStats[]> {
    const what = `measure topic ${topic}`;
    const question = { code: RequestCode.GET_TOPIC_STATS_INFO, fields: { topic } };
    const accept = [ResponseCode.TOPIC_NOT_EXIST];
    const answers = await this.#cluster.askMasters([master], { what, question, accept });
    return answers.flatMap(([, answer]) =>
      answer.code === ResponseCode.SUCCESS ? toStats(answer, what) : [],
    );
  }

  async #checkRoute(topic: string, masters: readonly Master[], queues: number): Promise<void> {
    const route = await this.#cluster.routes.get(topic, true);
    const missing = masters.find(({ broker }) => (route?.brokers.get(broker)?.queues ?? 0) < queues);
    if (missing === undefined) return;
    throw new RemotingError(
      'LOG_UNAVAILABLE',
      `topic ${topic} was created, but the name server does not know yet that broker ${missing.broker} has it. Check that the broker reaches the name server, and try again`,
      { refused: false },
    );
  }

  async #names(code: number): Promise<readonly string[]> {
    const what = 'list the topics';
    const answer = await this.#cluster.askNameServer(what, { code, fields: {} });
    return body(answer, isTopicList, what).topicList;
  }

  async #systemNames(): Promise<readonly string[]> {
    const what = 'list the system topics';
    const answers = await this.#cluster.askMasters((await this.#cluster.masters()).slice(0, 1), {
      what,
      question: { code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, fields: {} },
    });
    return answers.flatMap(([, answer]) => body(answer, isTopicList, what).topicList);
  }
}

function toStats(answer: Answer, what: string): readonly QueueStats[] {
  return offsetTable(answer, what)
    .map(({ queue, offsets }) => ({
      queue: { broker: queue.brokerName, queueId: queue.queueId },
      minOffset: offsets.minOffset,
      maxOffset: offsets.maxOffset,
      lastUpdate: offsets.lastUpdateTimestamp,
    }))
    .sort((a, b) => a.queue.queueId - b.queue.queueId);
}
