/** Consumer groups and their offsets. */
import { body, field, isGroupTable, isTopicList } from './answers.js';
import type { Cluster, Master } from './cluster.js';
import { RequestCode, ResponseCode } from './codes.js';
import type { Fields } from './types.js';
import type { Topics } from './topics.js';
import type { BrokerQueue, GroupQueueStats, GroupSettings } from './types.js';

/** Groups of RocketMQ itself, which every broker has. */
const PREDEFINED: ReadonlySet<string> = new Set([
  'DEFAULT_CONSUMER',
  'TOOLS_CONSUMER',
  'SCHEDULE_CONSUMER',
  'FILTERSRV_CONSUMER',
  '__MONITOR_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_ONSAPI_PULL',
]);
const SYSTEM_PREFIX = 'CID_RMQ_SYS_';
const PAGE_SIZE = 2000;
const MAX_PAGES = 1000;
/** Where a group's failed deliveries go. */
const RETRY_PREFIX = '%RETRY%';

export class Groups {
  readonly #cluster: Cluster;
  readonly #topics: Topics;

  constructor(cluster: Cluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  async create(group: string, settings: GroupSettings): Promise<void> {
    await this.#createOn(await this.#cluster.masters(), group, settings);
  }

  async ensure(group: string): Promise<void> {
    const masters = await this.#cluster.masters();
    const have = await Promise.all(masters.map((master) => this.#namesOn(master)));
    const without = masters.filter((_, i) => have[i]?.includes(group) !== true);
    await this.#createOn(without, group, {});
  }

  async #createOn(
    masters: readonly Master[],
    group: string,
    { consumeEnable, maxRetries, attributes }: GroupSettings,
  ): Promise<void> {
    const marked = Object.entries(attributes ?? {}).map(([name, value]) => [`+${name}`, value] as const);
    const config = {
      groupName: group,
      consumeEnable: consumeEnable ?? true,
      ...(maxRetries !== undefined && { retryMaxTimes: maxRetries }),
      attributes: Object.fromEntries(marked),
    };
    await this.#cluster.askMasters(masters, {
      what: `create consumer group ${group}`,
      question: {
        code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
        fields: {},
        body: Buffer.from(JSON.stringify(config)),
      },
    });
  }

  async delete(group: string): Promise<void> {
    await this.#cluster.askMasters(await this.#cluster.masters(), {
      what: `delete consumer group ${group}`,
      question: {
        code: RequestCode.DELETE_SUBSCRIPTIONGROUP,
        fields: { groupName: group, cleanOffset: 'true' },
      },
    });
  }

  async list(): Promise<readonly string[]> {
    const masters = await this.#cluster.masters();
    const names = (await Promise.all(masters.map((master) => this.#namesOn(master)))).flat();
    const own = names.filter((name) => !PREDEFINED.has(name) && !name.startsWith(SYSTEM_PREFIX));
    return [...new Set(own)].sort();
  }

  /** RocketMQ 5.5 answers in pages, from the start again when groups have changed meanwhile; older ones all at once. */
  async #namesOn(master: Master): Promise<readonly string[]> {
    const what = 'list the consumer groups';
    const names: string[] = [];
    let version: string | null = null;
    for (let page = 0, seen = 0; page < MAX_PAGES; page += 1) {
      const fields: Fields = {
        groupSeq: String(seen),
        maxGroupNum: String(PAGE_SIZE),
        ...(version !== null && { dataVersion: version }),
      };
      const question = { code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, fields };
      const answer = await this.#cluster.retrying((timeoutMs) =>
        this.#cluster.askBroker(master.address, { what, question, timeoutMs }),
      );
      const { subscriptionGroupTable, dataVersion } = body(answer, isGroupTable, what);
      const found = Object.keys(subscriptionGroupTable);
      names.push(...found);
      const changed = version !== null && version !== JSON.stringify(dataVersion);
      seen = changed ? found.length : seen + found.length;
      version = JSON.stringify(dataVersion);
      if (found.length === 0 || seen >= Number(answer.fields['totalGroupNum'] ?? 0)) break;
    }
    return names;
  }

  async committed(group: string, topic: string, queue: BrokerQueue): Promise<number | null> {
    const what = `read the offset of group ${group} in topic ${topic}`;
    const { queueId } = queue;
    const answer = await this.#cluster.retrying((timeoutMs) =>
      this.#cluster.askQueue({
        what,
        topic,
        queue,
        timeoutMs,
        // Else a queue that still has its first message answers 0.
        question: {
          code: RequestCode.QUERY_CONSUMER_OFFSET,
          fields: { consumerGroup: group, topic, queueId: String(queueId), setZeroIfNotFound: 'false' },
        },
        accept: [ResponseCode.QUERY_NOT_FOUND],
      }),
    );
    return answer.code === ResponseCode.QUERY_NOT_FOUND ? null : field(answer, 'offset', what);
  }

  async commit(group: string, topic: string, queue: BrokerQueue, offset: number): Promise<void> {
    const { queueId } = queue;
    await this.#cluster.retrying((timeoutMs) =>
      this.#cluster.askQueue({
        what: `commit the offset of group ${group} in topic ${topic}`,
        topic,
        queue,
        timeoutMs,
        question: {
          code: RequestCode.UPDATE_CONSUMER_OFFSET,
          fields: { consumerGroup: group, topic, queueId: String(queueId), commitOffset: String(offset) },
        },
      }),
    );
  }

  async stats(group: string): Promise<readonly GroupQueueStats[]> {
    const what = `list the topics of group ${group}`;
    const answers = await this.#cluster.askMasters(await this.#cluster.masters(), {
      what,
      question: { code: RequestCode.QUERY_TOPICS_BY_CONSUMER, fields: { group } },
    });
    const stats: GroupQueueStats[] = [];
    for (const [master, answer] of answers) {
      const { topicList } = body(answer, isTopicList, what);
      for (const topic of topicList)
        if (!topic.startsWith(RETRY_PREFIX)) stats.push(...(await this.#statsOn(master, group, topic)));
    }
    return stats;
  }

  /** Consume stats of the broker itself say 0 where nothing was committed, and leave topics out. */
  async #statsOn(master: Master, group: string, topic: string): Promise<readonly GroupQueueStats[]> {
    const queues = await this.#topics.statsOn(master, topic);
    const stats = await Promise.all(
      queues.map(async ({ queue, maxOffset }) => {
        const committedOffset = await this.committed(group, topic, queue);
        return committedOffset === null ? [] : [{ topic, queue, maxOffset, committedOffset }];
      }),
    );
    return stats.flat();
  }
}
