import { isNotNow, LogError, type Log, type LogErrorCode } from '../../../log/log.js';
import type { RecordErrors } from '../record-errors.js';
import type { SinkQueue } from './sink-queue.js';

const LOOK_AGAIN_MS = 2000;

/** What a read of a topic that is no more, or no more the same, may end with. */
const MAY_BE_GONE: ReadonlySet<LogErrorCode> = new Set([
  'LOG_UNKNOWN_TOPIC',
  'LOG_UNKNOWN_QUEUE',
  'LOG_BAD_REQUEST',
]);

export interface UnreadableParts {
  readonly log: Pick<Log, 'describeTopic'>;
  readonly signal: AbortSignal;
  readonly errors: Pick<RecordErrors, 'backoff' | 'recovered'>;
  /** The task goes on when such a topic is deleted. */
  readonly mayGo: (topic: string) => boolean;
  /** Of the life that is read. */
  readonly topicId: (topic: string) => string | null;
  /** The life of the topic that is read is over. */
  readonly onGone: (topic: string, topicId: string | null) => void;
  readonly fail: (error: unknown) => void;
}

/** Finds out whether a queue cannot be read because its topic was deleted, or was made anew. */
export class Unreadable {
  readonly #parts: UnreadableParts;

  constructor(parts: UnreadableParts) {
    this.#parts = parts;
  }

  /** False: the task fails. */
  looksAfter(error: unknown, queue: SinkQueue): boolean {
    if (!(error instanceof LogError) || !MAY_BE_GONE.has(error.code)) return false;
    void this.#settle(error, queue).catch((failed: unknown) => {
      this.#parts.fail(failed);
    });
    return true;
  }

  async #settle(error: LogError, queue: SinkQueue): Promise<void> {
    const { onGone, fail, topicId } = this.#parts;
    const isGone = await this.#isGone(error, queue);
    // Its topic was found to be another one in the meantime.
    if (queue.closed || isGone === null) return;
    if (isGone) onGone(queue.topic, topicId(queue.topic));
    else fail(error);
  }

  /** Null: the task is asked to stop before that is known. */
  async #isGone(error: LogError, { topic, queue }: SinkQueue): Promise<boolean | null> {
    const { log, signal, errors, mayGo, topicId } = this.#parts;
    const call = `read ${topic}/${queue}`;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        const found = await log.describeTopic(topic);
        if (attempt > 1) errors.recovered(call);
        if (found === null) return error.code === 'LOG_UNKNOWN_TOPIC' && mayGo(topic);
        return found.id !== topicId(topic);
      } catch (failed) {
        if (!isNotNow(failed)) throw failed;
        await errors.backoff(call, failed, attempt, LOOK_AGAIN_MS);
      }
    }
    return null;
  }
}
