/** A part of a log that others use, too: topics get a prefix, and only those that have it are shown. Groups are shared. */
import type * as port from '#troupe/log/log.js';

export class ScopedLog implements port.Log {
  readonly #log: port.Log;
  readonly #prefix: string;
  readonly #appendedTo = new Set<string>();

  constructor(log: port.Log, prefix: string) {
    this.#log = log;
    this.#prefix = prefix;
  }

  get capabilities(): port.LogCapabilities {
    return this.#log.capabilities;
  }

  async createTopic(name: string, settings: port.TopicSettings): Promise<port.TopicDescription> {
    return { ...(await this.#log.createTopic(this.#inner(name), settings)), name };
  }

  async describeTopic(name: string): Promise<port.TopicDescription | null> {
    const found = await this.#log.describeTopic(this.#inner(name));
    return found === null ? null : { ...found, name };
  }

  async listTopics(): Promise<readonly port.TopicDescription[]> {
    const all = await this.#log.listTopics();
    return all
      .filter(({ name }) => this.#has(name))
      .map((topic) => ({ ...topic, name: this.#outer(topic.name) }));
  }

  async deleteTopic(name: string): Promise<void> {
    await this.#log.deleteTopic(this.#inner(name));
    this.#appendedTo.delete(name);
  }

  async append(request: port.AppendRequest): Promise<readonly number[]> {
    // The same entry objects: what is given back to them is given back to the caller.
    const entries = request.entries.map((entry) => ({ ...entry, topic: this.#inner(entry.topic) }));
    const offsets = await this.#log.append({ ...request, entries });
    for (const { topic } of request.entries) this.#appendedTo.add(topic);
    return offsets;
  }

  /** Resolves when another client sees what this one appended. */
  async settle(): Promise<void> {
    for (const topic of this.#appendedTo) await this.ranges(topic);
  }

  read(request: port.ReadRequest): Promise<port.ReadResult> {
    return this.#log.read({ ...request, topic: this.#inner(request.topic) });
  }

  ranges(topic: string): Promise<readonly port.QueueRange[]> {
    return this.#log.ranges(this.#inner(topic));
  }

  trim(topic: string, queue: number, offset: number): Promise<void> {
    return this.#log.trim(this.#inner(topic), queue, offset);
  }

  fence(fence: port.Fence): Promise<void> {
    return this.#log.fence(fence);
  }

  subscribe(group: string, topics: readonly string[]): Promise<void> {
    return this.#log.subscribe(
      group,
      topics.map((topic) => this.#inner(topic)),
    );
  }

  commitOffsets(group: string, offsets: readonly port.GroupOffset[]): Promise<void> {
    const inner = offsets.map((offset) => ({ ...offset, topic: this.#inner(offset.topic) }));
    return this.#log.commitOffsets(group, inner);
  }

  async committedOffsets(group: string): Promise<readonly port.GroupOffset[]> {
    const offsets = await this.#log.committedOffsets(group);
    return offsets
      .filter(({ topic }) => this.#has(topic))
      .map((offset) => ({ ...offset, topic: this.#outer(offset.topic) }));
  }

  listGroups(): Promise<readonly string[]> {
    return this.#log.listGroups();
  }

  deleteGroup(group: string): Promise<void> {
    return this.#log.deleteGroup(group);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** An empty name stays one, to be refused. */
  #inner(name: string): string {
    return name === '' ? '' : this.#prefix + name;
  }

  #outer(name: string): string {
    return name.slice(this.#prefix.length);
  }

  #has(name: string): boolean {
    return name.startsWith(this.#prefix);
  }
}
