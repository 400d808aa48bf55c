import { LRUCache } from 'lru-cache';
import { DataError } from '../../sdk/errors.js';
import { LogError, type Log, type TopicDescription, type TopicSettings } from '../../log/log.js';
import type { ConnectRecord } from '../../sdk/record.js';
import { topicNameProblem } from '../../plugins/topic-name.js';
import { queueChoice, type ChooseQueue } from './source/queue-choice.js';

/** Settings of a topic that does not exist yet; null: it must exist. */
export type NewTopic = (topic: string) => TopicSettings | null;

interface Known {
  readonly topic: string;
  readonly queues: number;
  /** Of each topic its own: else one that has every second record would fill half of its queues. */
  turn: number;
}

/** What a task knows of the topics it writes to: how many queues they have. Creates those that are missing. */
export class Topics {
  readonly #log: Pick<Log, 'describeTopic' | 'createTopic'>;
  readonly #create: NewTopic;
  readonly #own: ReadonlySet<string>;
  readonly #choose: ChooseQueue;
  readonly #onExisting: (topic: TopicDescription) => void;
  /** Recomputable, so bounded: a source that makes up topic names cannot fill the heap. */
  readonly #known = new LRUCache<string, Known>({ max: 1000 });
  /** Most records go where the one before went. */
  #last: Known | null = null;

  /** `own`: the cluster's topics, which no record may go to. */
  constructor(
    log: Pick<Log, 'describeTopic' | 'createTopic'>,
    create: NewTopic,
    own: readonly string[],
    /** Told of each topic that it did not create. */
    onExisting: (topic: TopicDescription) => void = () => undefined,
    choose: ChooseQueue = queueChoice({ by: 'key', field: '' }),
  ) {
    this.#choose = choose;
    this.#onExisting = onExisting;
    this.#log = log;
    this.#create = create;
    this.#own = new Set(own);
  }

  /** Number of queues, or null when it must be asked by `ensure`. */
  queues(topic: string): number | null {
    if (this.#last?.topic === topic) return this.#last.queues;
    const known = this.#known.get(topic);
    if (known === undefined) return null;
    this.#last = known;
    return known.queues;
  }

  /** DataError OWN_TOPIC, BAD_TOPIC. */
  async ensure(topic: string): Promise<number> {
    const known = this.queues(topic);
    if (known !== null) return known;
    if (this.#own.has(topic)) throw ownTopic(topic);
    const problem = topicNameProblem(topic);
    if (problem !== null) throw new DataError(problem, { code: 'BAD_TOPIC' });
    const there = await this.#log.describeTopic(topic);
    const found = there ?? (await this.#createTopic(topic));
    if (there !== null) this.#onExisting(there);
    this.#last = { topic, queues: found.queues, turn: 0 };
    this.#known.set(topic, this.#last);
    return found.queues;
  }

  /** The queue of a record: see queue-choice.ts. DataError BAD_QUEUE. */
  route(topic: string, queues: number, record: ConnectRecord, key: Uint8Array | string | null): number {
    const last = this.#last;
    const turn = last === null ? 0 : (last.turn = (last.turn + 1) % 0x3fffffff);
    try {
      return this.#choose(record, key, queues, turn);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new DataError(`${error.message} (topic ${topic})`, { code: error.code, cause: error });
    }
  }

  async #createTopic(topic: string): Promise<TopicDescription> {
    const settings = this.#create(topic);
    if (settings !== null) return this.#log.createTopic(topic, settings);
    throw new LogError(
      'LOG_UNKNOWN_TOPIC',
      `topic ${topic} does not exist and topic.creation.enable is false: create it, or allow creation`,
    );
  }
}

/** In place of the node's settings: what stays so a connector has not asked for. */
export const NOT_ASKED = { queues: NaN, retentionMs: NaN, retentionBytes: NaN } as const;

/**
 * Where an existing topic is not as was asked, as a sentence; null: nowhere. `retention`: whether the log rules over it.
 */
export function differenceOf(
  found: TopicDescription,
  asked: TopicSettings,
  { retention }: { readonly retention: boolean },
): string | null {
  const names = ['queues', ...(retention ? (['retentionMs', 'retentionBytes'] as const) : [])] as const;
  const differing = names
    .filter((name) => !Number.isNaN(asked[name]) && found[name] !== asked[name])
    .map((name) => `${LABELS[name]} is ${found[name] ?? -1}, not ${asked[name] ?? -1}`);
  return differing.length === 0
    ? null
    : `topic ${found.name} was there already, and topic.creation changes nothing about it: ${differing.join(', ')}`;
}

const LABELS = {
  queues: 'partitions',
  retentionMs: 'retention.ms',
  retentionBytes: 'retention.bytes',
} as const;

function ownTopic(topic: string): DataError {
  return new DataError(
    `topic ${topic} is the cluster's own: what a connector wrote there could change or delete other connectors. Choose another topic, or another name after the transforms`,
    { code: 'OWN_TOPIC' },
  );
}
