/** The outputs of one task, one for each path its queues lead to. */
import type { QueueOffset, QueueRef, RawConfig } from '../../../sdk/index.js';
import { OutputFile, type OutputShared, type QueueProgress } from './output-file.js';
import { progressPath, readProgress, type KeptOffset } from './progress-file.js';
import { outputError } from './output-errors.js';

/** How many tasks there are; written by the connector into its task configurations. */
export const TASKS_KEY = 'file.tasks';
/** Outputs of tasks that no longer exist are looked for under so many numbers. */
const MAX_TASKS_EVER = 256;
/** While more are open, those that nothing was written to between two commits are closed: transforms may name ever new ones. */
const MANY_OPEN = 100;
/** While more are known, those are forgotten: their progress files say all that is to be known of them. */
const MANY_KNOWN = 1000;

export class Outputs {
  readonly #shared: OutputShared;
  readonly #task: number;
  readonly #tasks: number;
  readonly #isScattered: boolean;
  readonly #manyKnown: number;
  /** Those written to last come last. */
  readonly #byPath = new Map<string, OutputFile>();
  readonly #byQueue = new Map<string, OutputFile>();
  /** Forgotten outputs that must be finished in time, by path: when their first records came. */
  readonly #toRoll = new Map<string, number>();
  readonly #saidAnew = new Set<string>();
  readonly #saidRepeated = new WeakSet<QueueProgress>();

  constructor(shared: OutputShared, task: number, raw: RawConfig, manyKnown = MANY_KNOWN) {
    this.#shared = shared;
    this.#task = task;
    this.#manyKnown = manyKnown;
    this.#tasks = Number(raw[TASKS_KEY] ?? '1');
    this.#isScattered = shared.paths.uses('topic') && mayRename(raw);
  }

  all(): Iterable<OutputFile> {
    return this.#byPath.values();
  }

  async commit(): Promise<void> {
    const all = [...this.all()];
    const idle = all.filter((output) => !output.isDirty);
    for (const output of all) {
      if (!output.isDirty) continue;
      this.#byPath.delete(output.path);
      this.#byPath.set(output.path, output);
      await output.commit();
    }
    let open = all.filter((output) => output.isOpen).length;
    for (const output of idle.filter(({ isOpen }) => isOpen)) {
      if (open <= MANY_OPEN) break;
      await output.close();
      open -= 1;
    }
    // Else they are as many as the queues, and no more come.
    if (this.#isScattered) for (const output of idle) await this.#forget(output);
  }

  /** Whether some hold records: where there is a time to finish them. */
  get hasToRoll(): boolean {
    if (!this.#shared.rolls) return false;
    return (
      this.#toRoll.size > 0 || [...this.all()].some(({ openedAt, length }) => openedAt !== null && length > 0)
    );
  }

  /** Finishes those whose first record came at `time` or before. */
  async roll(time: number): Promise<void> {
    for (const output of [...this.all()])
      if (output.openedAt !== null && output.openedAt <= time) await output.roll();
    for (const [path, openedAt] of [...this.#toRoll]) {
      if (openedAt > time) continue;
      const { output } = await this.#recovered(path);
      await output.roll();
      await this.#forget(output);
    }
  }

  /**
   * Puts all outputs back to their last commits. Where to go on in each queue, as far as that is known: at the beginning
   * of a topic that was made anew. Where transforms may give a queue's records several outputs, these are put back when
   * the first record comes for them, and none alone can say where its queue goes on.
   */
  async recover(assignment: readonly QueueRef[]): Promise<QueueOffset[]> {
    if (this.#isScattered) return [];
    const furthest = new Map<string, QueueOffset>();
    const looked = new Set<string>();
    const note = (offsets: readonly KeptOffset[]): void => {
      for (const item of offsets) {
        const key = `${item.topic}\n${item.queue}`;
        const isOther = this.#shared.topics.isOther(item);
        if (isOther) this.#sayAnew(item);
        const offset = isOther ? 0 : item.offset;
        if ((furthest.get(key)?.offset ?? -1) < offset)
          furthest.set(key, { topic: item.topic, queue: item.queue, offset });
      }
    };
    for (const { topic, queue } of assignment) {
      const path = this.#path(topic, queue, this.#task);
      if (!this.#byPath.has(path)) note((await this.#recovered(path)).offsets);
      if (this.#shared.paths.uses('task')) note(await this.#ofOtherTasks(topic, queue, looked));
    }
    const mine = assignment.map(({ topic, queue }) => furthest.get(`${topic}\n${queue}`));
    const offsets = mine.filter((item) => item !== undefined);
    for (const { topic, queue, offset } of offsets)
      (await this.of(topic, queue)).queue(topic, queue).next = offset;
    return offsets;
  }

  /** `topic` is what transforms made of it. */
  of(topic: string, queue: number): Promise<OutputFile> | OutputFile {
    const key = `${topic}\n${queue}`;
    const known = this.#byQueue.get(key);
    if (known !== undefined) return known;
    return this.#find(key, this.#path(topic, queue, this.#task));
  }

  /** Says once for each queue that records came again which were written already. */
  repeated(progress: QueueProgress, offset: number): void {
    if (this.#saidRepeated.has(progress)) return;
    this.#saidRepeated.add(progress);
    this.#shared.log.warn('passing over records that are in the file already', {
      topic: progress.topic,
      queue: progress.queue,
      offset,
      next: progress.next,
    });
  }

  #sayAnew({ topic, offset }: KeptOffset): void {
    if (this.#saidAnew.has(topic)) return;
    this.#saidAnew.add(topic);
    this.#shared.log.warn(
      'the topic is not the one that the lines in the file are from: it is read from its beginning',
      { topic, offsetBefore: offset },
    );
  }

  async #find(key: string, path: string): Promise<OutputFile> {
    const output = this.#byPath.get(path) ?? (await this.#recovered(path)).output;
    // A shortcut only, and several queues may lead to one path.
    if (this.#byQueue.size >= this.#manyKnown) this.#byQueue.clear();
    this.#byQueue.set(key, output);
    return output;
  }

  /** Known only once it is put back: what is not would be taken for empty, and emptied. */
  async #recovered(
    path: string,
  ): Promise<{ readonly output: OutputFile; readonly offsets: readonly KeptOffset[] }> {
    const output = new OutputFile(path, this.#shared);
    try {
      const offsets = await output.recover();
      this.#byPath.set(path, output);
      this.#toRoll.delete(path);
      return { output, offsets };
    } catch (error) {
      await output.close();
      throw error;
    }
  }

  /** While too many are known, and when there is nothing of it to commit. */
  async #forget(output: OutputFile): Promise<void> {
    if (this.#byPath.size <= this.#manyKnown || output.isDirty) return;
    await output.close();
    this.#byPath.delete(output.path);
    this.#byQueue.clear();
    if (this.#shared.rolls && output.openedAt !== null) this.#toRoll.set(output.path, output.openedAt);
  }

  /**
   * With {task} in the path a queue that moved to another task has its progress beside that task's file. Files of
   * tasks that no longer exist are put back to their commits by those that do: what was not committed comes again.
   * `looked`: the paths of other queues, which may be the same.
   */
  async #ofOtherTasks(topic: string, queue: number, looked: Set<string>): Promise<KeptOffset[]> {
    const { ops } = this.#shared;
    const found: KeptOffset[] = [];
    for (let task = 0; task < MAX_TASKS_EVER; task += 1) {
      const path = this.#path(topic, queue, task);
      if (task === this.#task || looked.has(path)) continue;
      looked.add(path);
      if ((await ops.facts(progressPath(path))) === null) continue;
      const isLeftOver = task >= this.#tasks && task % this.#tasks === this.#task;
      if (isLeftOver && !this.#byPath.has(path)) found.push(...(await this.#recovered(path)).offsets);
      else found.push(...(await this.#offsetsAt(path)));
    }
    return found;
  }

  async #offsetsAt(path: string): Promise<readonly KeptOffset[]> {
    try {
      return (await readProgress(this.#shared.ops, path))?.offsets ?? [];
    } catch (error) {
      throw outputError(error, path);
    }
  }

  #path(topic: string, queue: number, task: number): string {
    return this.#shared.paths.render({ topic, queue, task });
  }
}

/** Whether transforms may give a record another topic. */
export function mayRename(raw: RawConfig): boolean {
  return (raw['transforms'] ?? '').trim() !== '';
}
