/** A file that a sink of the source's own topic writes would come back into the topic without end. */
import { FatalError } from '../../../sdk/index.js';
import { nodeFileOps } from '../file-ops.js';
import { readProgress, type Progress } from '../sink/progress-file.js';

/** While a file has new lines it is looked at so often: the sink may have come after the source. */
const EVERY_MS = 2000;
/** Of more files at once those looked at longest ago are forgotten. */
const MAX_KNOWN = 10_000;

export class LoopCheck {
  readonly #topic: string;
  readonly #now: () => number;
  readonly #checkedAt = new Map<string, number>();

  /** `now`: milliseconds, of any clock. */
  constructor(topic: string, now: () => number) {
    this.#topic = topic;
    this.#now = now;
  }

  /** FatalError FILE_LOOP. */
  async check(path: string): Promise<void> {
    if (this.#now() - (this.#checkedAt.get(path) ?? -Infinity) < EVERY_MS) return;
    this.#checkedAt.delete(path);
    this.#checkedAt.set(path, this.#now());
    const [oldest] = this.#checkedAt.keys();
    if (this.#checkedAt.size > MAX_KNOWN && oldest !== undefined) this.#checkedAt.delete(oldest);
    const reason = await loopProblem(path, this.#topic);
    if (reason !== null) throw new FatalError(reason, { code: 'FILE_LOOP' });
  }
}

/** null: no file sink of this topic writes the file, as far as can be seen. */
export async function loopProblem(path: string, topic: string): Promise<string | null> {
  let progress: Progress | null;
  try {
    progress = await readProgress(nodeFileOps, path);
  } catch {
    // Of no use here; the sink reports it.
    return null;
  }
  if (progress?.offsets.some((kept) => kept.topic === topic) !== true) return null;
  return (
    `${path} is written by the sink "${progress.connector ?? 'unknown'}" from topic ${topic}: what is read there would come back ` +
    `into the topic without end. Give the source another file or topic`
  );
}
