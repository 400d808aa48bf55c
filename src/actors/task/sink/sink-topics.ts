import { queuesOf } from '../../../core/progress/queue-assignment.js';
import { groupOf, parseUnitKey } from '../../../core/model.js';
import type { TopicDescription } from '../../../log/log.js';
import { ConfigError } from '../../../sdk/errors.js';
import type { QueueRef } from '../../../sdk/plugin.js';
import type { TaskParts } from '../parts.js';
import type { LoadedSink } from '../load-task.js';

type Named = Pick<LoadedSink, 'topics' | 'topicsRegex'>;

/** What a sink reads, as the log has it at the moment. */
export class SinkTopics {
  readonly #parts: Pick<TaskParts, 'context' | 'log'>;
  /** Those of `topics`, in the order of their names. */
  readonly named: readonly string[];
  readonly #regex: RegExp | null;
  /** The cluster's, which nobody else may read. */
  readonly #closed: ReadonlySet<string>;
  #found: readonly TopicDescription[] = [];

  /** ConfigError OWN_TOPIC. */
  constructor(parts: Pick<TaskParts, 'context' | 'log'>, { topics, topicsRegex }: Named) {
    this.#parts = parts;
    this.named = [...new Set(topics)].sort();
    this.#regex = topicsRegex;
    this.#closed = new Set(parts.context.params.settings.ownTopics);
    const closed = this.named.find((name) => this.#closed.has(name));
    if (closed !== undefined) throw ownTopic(closed);
  }

  /** At the last look. */
  get found(): readonly TopicDescription[] {
    return this.#found;
  }

  /** In the order of their names; without those of `topics` that do not exist. */
  async look(): Promise<readonly TopicDescription[]> {
    const { context, log } = this.#parts;
    const found = new Map<string, TopicDescription>();
    for (const name of this.named) {
      const topic = await log.describeTopic(name);
      if (topic !== null) found.set(name, topic);
    }
    if (this.#regex !== null) {
      for (const topic of await log.listTopics())
        if (this.#regex.test(topic.name) && !this.#closed.has(topic.name)) found.set(topic.name, topic);
    }
    // From here on retention by size waits for this sink, also before its first commit, and not where it has left.
    await log.subscribe(groupOf(context.params.unit), [...this.named, ...found.keys()]);
    this.#found = [...found.values()].sort(byName);
    return this.#found;
  }

  /**
   * Those of `topics` that do not exist. A reader waits for them: whoever writes to a topic says how it is to be, and
   * would not be asked where a reader that came first had made it.
   */
  missing(found: readonly TopicDescription[]): readonly string[] {
    const there = new Set(found.map(({ name }) => name));
    return this.named.filter((name) => !there.has(name));
  }

  /** Whether the task goes on without it where it is deleted: nobody has named it, so nobody misses it. */
  mayGo(topic: string): boolean {
    return !this.named.includes(topic);
  }

  /** Those queues that are this task's. */
  own(topics: readonly TopicDescription[]): readonly QueueRef[] {
    const { taskCount: tasks, unit } = this.#parts.context.params;
    return queuesOf(
      { named: this.named, tasks },
      parseUnitKey(unit).task ?? 0,
      topics.map(({ name, queues }) => [name, queues]),
    );
  }
}

function byName(a: TopicDescription, b: TopicDescription): number {
  return a.name < b.name ? -1 : 1;
}

function ownTopic(topic: string): ConfigError {
  return new ConfigError(
    `topic ${topic} is the cluster's own, and what it holds is for nobody else: it may be the secrets of other connectors. Read another topic`,
    { code: 'OWN_TOPIC', field: 'topics' },
  );
}
