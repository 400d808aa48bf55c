/** Consumer groups exist broker by broker. One that was added, or was away when a group was made, does not have it. */
import { ResponseCode } from './remoting/codes.js';
import { RemotingError, type RemotingClient } from './remoting/client.js';

const RETRY_TOPIC = '%RETRY%';

type Client = Pick<RemotingClient, 'queues' | 'createTopic' | 'deleteTopic' | 'ensureGroup' | 'deleteGroup'>;

export class ConsumerGroups {
  readonly #client: Client;
  /** Those that existed everywhere when that was last looked at. */
  readonly #known = new Set<string>();

  constructor(client: Client) {
    this.#client = client;
  }

  async ensure(name: string): Promise<void> {
    if (this.#known.has(name)) return;
    await this.#client.ensureGroup(name);
    this.#known.add(name);
  }

  /** RocketMQ's tools look for groups by this topic, which brokers make for each consumer of theirs. */
  async ensureSeen(name: string): Promise<void> {
    if (this.#known.has(name)) return;
    const retryTopic = RETRY_TOPIC + name;
    if ((await this.#client.queues(retryTopic)) === null)
      await this.#client.createTopic(retryTopic, { queues: 1 });
    await this.ensure(name);
  }

  /** `use`, and once more where a broker says that it does not have the group. `ensure` makes it. */
  async with<T>(name: string, ensure: 'ensure' | 'ensureSeen', use: () => Promise<T>): Promise<T> {
    await this[ensure](name);
    try {
      return await use();
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#known.delete(name);
      await this[ensure](name);
      return use();
    }
  }

  async delete(name: string): Promise<void> {
    const retryTopic = RETRY_TOPIC + name;
    if ((await this.#client.queues(retryTopic, { fresh: true })) !== null)
      await this.#client.deleteTopic(retryTopic);
    await this.#client.deleteGroup(name);
    this.#known.delete(name);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof RemotingError && error.responseCode === ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST;
}
