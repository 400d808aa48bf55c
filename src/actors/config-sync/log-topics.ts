import type { Log } from '../../log/log.js';
import { ConnectError } from '../../sdk/errors.js';
import type { ConfigReplica } from './cold-start.js';
import type { TopicDetails, TopicSummary } from './protocol.js';

/** As configurations name topics: of sources and of sinks, and under RocketMQ Connect's names. */
const TOPIC_KEYS = ['topic', 'connect.topicname', 'topics', 'topicNames', 'connect.topicnames'];

/** The topics of the log, for users who look at them and delete them. */
export class LogTopics {
  readonly #log: Pick<Log, 'listTopics' | 'describeTopic' | 'ranges' | 'deleteTopic'>;
  readonly #own: ReadonlySet<string>;
  readonly #replica: ConfigReplica;

  constructor(log: Log, own: readonly string[], replica: ConfigReplica) {
    this.#log = log;
    this.#own = new Set(own);
    this.#replica = replica;
  }

  async list(): Promise<readonly TopicSummary[]> {
    const topics = await this.#log.listTopics();
    return topics
      .map(({ name, queues }) => ({ name, queues, internal: this.#own.has(name) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async describe(name: string): Promise<TopicDetails | null> {
    const found = await this.#log.describeTopic(name);
    if (found === null) return null;
    const { retentionMs, retentionBytes } = found;
    return {
      name,
      internal: this.#own.has(name),
      queues: await this.#log.ranges(name),
      retentionMs,
      retentionBytes,
      connectors: this.#users(name).map((user) => user.name),
    };
  }

  /** TOPIC_NOT_FOUND, TOPIC_OWN, TOPIC_IN_USE. */
  async delete(name: string): Promise<Record<string, never>> {
    if (this.#own.has(name))
      throw refused('TOPIC_OWN', `topic ${name} is one of the cluster's own: it would lose what it knows`);
    const using = this.#users(name).filter(({ targetState }) => targetState !== 'STOPPED');
    if (using.length > 0) {
      const names = using.map((user) => user.name).join(', ');
      throw refused('TOPIC_IN_USE', `topic ${name} is used by ${names}: stop or delete these first`);
    }
    if ((await this.#log.describeTopic(name)) === null)
      throw refused('TOPIC_NOT_FOUND', `there is no topic ${name}`);
    await this.#log.deleteTopic(name);
    return {};
  }

  /** Connectors that name it, or have been seen to use it. */
  #users(topic: string): readonly { readonly name: string; readonly targetState: string }[] {
    const { connectors, topics } = this.#replica.state.inner;
    return [...connectors.values()].filter(
      ({ name, config }) =>
        topics.get(name)?.includes(topic) === true ||
        TOPIC_KEYS.some((key) => (config[key] ?? '').split(',').some((each) => each.trim() === topic)),
    );
  }
}

function refused(code: string, message: string): ConnectError {
  return new ConnectError(message, { code });
}
