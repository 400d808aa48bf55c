import type { GoneTopics } from '../../../core/progress/queue-changes.js';

/** Topics that are gone, until somebody has looked at what there is. At most those that are read. */
export class NewlyGone {
  readonly #topics = new Map<string, string | null>();
  #wake: (() => void) | null = null;

  add(topic: string, topicId: string | null): void {
    this.#topics.set(topic, topicId);
    this.#wake?.();
  }

  get all(): GoneTopics {
    return new Map(this.#topics);
  }

  seen(topics: GoneTopics): void {
    for (const [topic, id] of topics) if (this.#topics.get(topic) === id) this.#topics.delete(topic);
  }

  /** False: the signal ended the wait. One that is added ends it as well. */
  async passed(ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve(!signal.aborted);
      };
      const timer = setTimeout(done, ms);
      timer.unref();
      signal.addEventListener('abort', done);
      this.#wake = done;
    });
  }
}
