import { groupOf, type ConnectorEntry } from '../../core/model.js';
import type { SinkOffset } from '../../core/progress/progress-machine.js';
import type { Log } from '../../log/log.js';
import { commonDefinition, topicsRegex } from '../../plugins/config-common.js';
import { parseConfig } from '../../sdk/config-parse.js';
import { coalesce } from '../coalesce.js';
import { MatchingTopics } from './matching-topics.js';

const CHECK_MS = 30_000;
/** Changes of many connectors are looked at together. */
const SOON_MS = 1000;

type Groups = Pick<
  Log,
  | 'listGroups'
  | 'deleteGroup'
  | 'subscribe'
  | 'commitOffsets'
  | 'describeTopic'
  | 'listTopics'
  | 'capabilities'
>;

const READING = commonDefinition('sink').filter(({ name }) => ['topics', 'topics.regex'].includes(name));

export interface SinkGroupsOptions {
  readonly log: Groups;
  /** null: not known yet. */
  readonly connectors: () => readonly ConnectorEntry[] | null;
  /** The cluster's, which no pattern stands for. */
  readonly ownTopics: readonly string[];
  /** What the offset topic knows of a connector, also of one that was deleted. */
  readonly offsets: (connector: string) => readonly SinkOffset[];
  readonly onFailure: (error: unknown) => void;
  /** The pattern of this stopped sink takes too long to match, so that its group stays as it is. Told once for each pattern. */
  readonly onCostly: (connector: string) => void;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/**
 * Keeps consumer groups in line with connectors. Running tasks say themselves what they read; this is for sinks that do
 * not run. Retention by size waits for groups: one that outlived its connector, or a topic that it has left, would fill
 * the log, and what has no group may be deleted unread.
 */
export class SinkGroups {
  readonly #options: SinkGroupsOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #checkSoon: () => void;
  /** Groups without a connector, and since when. */
  #orphans: ReadonlyMap<string, number> = new Map();
  /** Of connectors that were there at an earlier check. */
  readonly #seen = new Set<string>();
  readonly #matching = new MatchingTopics();
  #running: Promise<void> = Promise.resolve();
  /** Begins when the one that runs has ended. */
  #next: Promise<void> | null = null;
  #stopped = false;

  constructor(options: SinkGroupsOptions) {
    this.#options = options;
    const check = (): void => {
      if (!this.#stopped) this.check().catch(options.onFailure);
    };
    this.#timer = setInterval(check, CHECK_MS);
    this.#checkSoon = coalesce(SOON_MS, check);
  }

  /** The connectors have changed. */
  changed(): void {
    this.#checkSoon();
  }

  /** One at a time: all that come due meanwhile are made up for by the next. */
  check(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        this.#running = this.#check();
        return this.#running;
      });
    return this.#next;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    const { log, onCostly } = this.#options;
    const groups = new Set(await this.#ours());
    const connectors = this.#options.connectors();
    if (connectors === null) return;
    const sinks = connectors.flatMap((entry) => {
      const reading = readingOf(entry);
      return reading === 'none' ? [] : [{ name: entry.name, group: groupOf(entry.name), reading }];
    });
    const present = new Set(sinks.map(({ group }) => group));
    for (const group of present) this.#seen.add(group);
    await this.#deleteOrphans([...groups].filter((group) => !present.has(group)));
    if (!log.capabilities.trim) return;
    const names = sinks.some(({ reading }) => reading instanceof RegExp) ? await this.#topics() : [];
    for (const { name, group, reading } of sinks) {
      const told = (): void => {
        onCostly(name);
      };
      const topics = reading instanceof RegExp ? this.#matching.of(reading, names, told) : reading;
      if (topics === null || topics === 'unknown') continue;
      if (groups.has(group)) await log.subscribe(group, topics);
      else await this.#makeAnew(name, topics);
    }
  }

  /**
   * Not at once: another node may just have created a connector of that name anew. (The offset topic still knows its
   * offsets.)
   */
  async #deleteOrphans(found: readonly string[]): Promise<void> {
    const now = this.#options.now();
    const orphans = new Map(found.map((group) => [group, this.#orphans.get(group) ?? now]));
    for (const [group, since] of orphans) {
      if (now - since < CHECK_MS) continue;
      await this.#options.log.deleteGroup(group);
      this.#seen.delete(group);
    }
    this.#orphans = orphans;
  }

  /** A sink of this name was there before, and goes on where that one was. */
  async #makeAnew(connector: string, topics: readonly string[]): Promise<void> {
    const { log, offsets } = this.#options;
    const known = offsets(connector).filter(({ topic }) => topics.includes(topic));
    if (known.length === 0) return;
    const group = groupOf(connector);
    await log.subscribe(group, topics);
    for (const topic of new Set(known.map((item) => item.topic))) {
      const queues = (await log.describeTopic(topic))?.queues ?? 0;
      const there = known.filter((item) => item.topic === topic && item.queue < queues);
      if (there.length > 0) await log.commitOffsets(group, there);
    }
  }

  /** Those that a pattern may stand for. */
  async #topics(): Promise<readonly string[]> {
    const { log, ownTopics } = this.#options;
    return (await log.listTopics()).map(({ name }) => name).filter((name) => !ownTopics.includes(name));
  }

  /** In RocketMQ groups hold nothing back, and one that only looks like ours may be somebody else's. */
  async #ours(): Promise<readonly string[]> {
    const { log } = this.#options;
    if (!log.capabilities.trim) return [...this.#seen];
    return (await log.listGroups()).filter((group) => group.startsWith(groupOf('')));
  }
}

/**
 * What a connector reads by its config, and by the plan that its tasks may still run: topics, or what they match;
 * `none`: it is no sink. What a pattern stands for is the tasks' to say as long as there are any.
 */
function readingOf({
  config,
  tasks,
  targetState,
}: ConnectorEntry): readonly string[] | RegExp | 'none' | 'unknown' {
  const stopped = targetState === 'STOPPED';
  const topics = new Set<string>();
  for (const raw of [config, ...(stopped ? [] : (tasks?.configs ?? []))]) {
    const { config: parsed, issues } = parseConfig(READING, raw);
    // As with a reference to a secret.
    if (issues.length > 0) return 'unknown';
    const pattern = parsed.stringOrNull('topics.regex') ?? '';
    if (pattern !== '') return stopped ? topicsRegex(pattern) : 'unknown';
    for (const topic of parsed.has('topics') ? parsed.list('topics') : []) topics.add(topic);
  }
  return topics.size === 0 ? 'none' : [...topics];
}
