import { unusedYet } from '../../core/connectors/used-topics.js';
import { ConnectError } from '../../sdk/errors.js';
import type { ConfigReplica } from './cold-start.js';
import type { ConfigSyncParams } from './params.js';

/** The topics that connectors use, as Kafka Connect's `topic.tracking.enable` has them. */
export class TrackedTopics {
  readonly #replica: ConfigReplica;
  readonly #rules: ConfigSyncParams['topicTracking'];
  /** On their way into the log. */
  readonly #writing = new Set<string>();

  constructor(replica: ConfigReplica, rules: ConfigSyncParams['topicTracking']) {
    this.#replica = replica;
    this.#rules = rules;
  }

  /** What is not written for now is told again with a later record. */
  used(name: string, topics: readonly string[]): void {
    const { connectors, topics: known } = this.#replica.state.inner;
    if (!this.#rules.enabled || this.#writing.has(name) || !connectors.has(name)) return;
    const missing = unusedYet(known, name, topics);
    if (missing.length === 0) return;
    this.#writing.add(name);
    const written = (): void => {
      this.#writing.delete(name);
    };
    this.#replica.submit({ type: 'TOPICS', name, topics: missing }).then(written, written);
  }

  of(name: string): readonly string[] {
    this.#check();
    return this.#replica.state.inner.topics.get(name) ?? [];
  }

  async forget(name: string): Promise<Record<string, never>> {
    this.#check();
    if (!this.#rules.mayReset)
      throw new ConnectError('Topic tracking reset is disabled.', { code: 'TOPIC_RESET_OFF' });
    if (this.#replica.state.inner.connectors.has(name))
      await this.#replica.submit({ type: 'TOPICS', name, topics: null });
    return {};
  }

  #check(): void {
    if (!this.#rules.enabled)
      throw new ConnectError('Topic tracking is disabled.', { code: 'TOPIC_TRACKING_OFF' });
  }
}
