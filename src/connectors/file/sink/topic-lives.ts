/** Offsets that were kept beside an output mean something only for the topic they were kept of. */
import type { SinkTaskContext } from '../../../sdk/index.js';
import type { KeptOffset } from './progress-file.js';

export class TopicLives {
  readonly #ids: ReadonlyMap<string, string | null>;

  constructor(context: Pick<SinkTaskContext, 'assignment' | 'topicId'>) {
    this.#ids = new Map(context.assignment.map(({ topic }) => [topic, context.topicId(topic)]));
  }

  /** null: the log cannot tell its topics' lives apart. undefined: this task does not read the topic. */
  idOf(topic: string): string | null | undefined {
    return this.#ids.get(topic);
  }

  /** Whether the topic was made anew since, or is in another log. An older version did not keep what would tell. */
  isOther({ topic, topicId }: KeptOffset): boolean {
    const id = this.#ids.get(topic);
    return topicId !== undefined && id !== undefined && topicId !== id;
  }
}
