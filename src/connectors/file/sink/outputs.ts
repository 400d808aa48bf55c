/** The outputs of one task, one for each path its queues lead to. */
import type { QueueOffset, QueueRef, RawConfig } from '../../../sdk/index.js';
import { OutputFile, type OutputShared, type QueueProgress } from './output-file.js';
import { progressPath, readProgress } from './progress-file.js';
import { outputError } from './output-errors.js';

/** How many tasks there are; written by the connector into its task configurations. */
export const TASKS_KEY = 'file.tasks';
/** Outputs of tasks that no longer exist are looked for under so many numbers. */
const MAX_TASKS_EVER = 256;

export class Outputs {
  readonly #shared: OutputShared;
  readonly #task: number;
  readonly #tasks: number;
  readonly #byPath = new Map<string, OutputFile>();
  readonly #byQueue = new Map<string, OutputFile>();
  readonly #saidRepeated = new Set<QueueProgress>();

  constructor(shared: OutputShared, task: number, raw: RawConfig) {
    this.#shared = shared;
    this.#task = task;
    this.#tasks = Number(raw[TASKS_KEY] ?? '1');
  }

  all(): Iterable<OutputFile> {
    return this.#byPath.values();
  }

  /** Puts all outputs back to their last commits. Where to go on in each queue, as far as that is known. */
  async recover(assignment: readonly QueueRef[]): Promise<QueueOffset[]> {
    const furthest = new Map<string, QueueOffset>();
    const note = (offsets: readonly QueueOffset[]): void => {
      for (const item of offsets) {
        const key = `${item.topic}\n${item.queue}`;
        if ((furthest.get(key)?.offset ?? -1) < item.offset) furthest.set(key, item);
      }
    };
    for (const { topic, queue } of assignment) {
      const path = this.#path(topic, queue, this.#task);
      if (!this.#byPath.has(path)) note(await this.#recovered(path));
      if (this.#shared.paths.uses('task')) note(await this.#ofOtherTasks(topic, queue));
    }
    const mine = assignment.map(({ topic, queue }) => furthest.get(`${topic}\n${queue}`));
    const offsets = mine.filter((item) => item !== undefined);
    for (const { topic, queue, offset } of offsets)
      (await this.of(topic, queue)).queue(topic, queue).next = offset;
    return offsets;
  }

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
    this.#shared.log.warn(
      'passing over records that are in the file already; if the topic was made anew, delete the progress file',
      { topic: progress.topic, queue: progress.queue, offset, next: progress.next },
    );
  }

  async #find(key: string, path: string): Promise<OutputFile> {
    if (!this.#byPath.has(path)) await this.#recovered(path);
    const output = this.#byPath.get(path) ?? new OutputFile(path, this.#shared);
    this.#byPath.set(path, output);
    this.#byQueue.set(key, output);
    return output;
  }

  async #recovered(path: string): Promise<readonly QueueOffset[]> {
    const output = new OutputFile(path, this.#shared);
    this.#byPath.set(path, output);
    return output.recover();
  }

  /**
   * With {task} in the path a queue that moved to another task has its progress beside that task's file. Files of
   * tasks that no longer exist are put back to their commits by those that do: what was not committed comes again.
   */
  async #ofOtherTasks(topic: string, queue: number): Promise<QueueOffset[]> {
    const { ops } = this.#shared;
    const found: QueueOffset[] = [];
    for (let task = 0; task < MAX_TASKS_EVER; task += 1) {
      const path = this.#path(topic, queue, task);
      if (task === this.#task || (await ops.facts(progressPath(path))) === null) continue;
      const isLeftOver = task >= this.#tasks && task % this.#tasks === this.#task;
      if (isLeftOver && !this.#byPath.has(path)) found.push(...(await this.#recovered(path)));
      else found.push(...(await this.#offsetsAt(path)));
    }
    return found;
  }

  async #offsetsAt(path: string): Promise<readonly QueueOffset[]> {
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
