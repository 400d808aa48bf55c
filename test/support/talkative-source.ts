/** A source that has no records, and writes a line at debug level each time that it is asked for some. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceRecord, SourceTaskContext } from '#troupe/sdk/index.js';
import { sourceOf } from './plugin-of.js';

const PAUSE_MS = 50;

class TalkativeTask {
  #context: SourceTaskContext | null = null;

  start(context: SourceTaskContext): void {
    this.#context = context;
  }

  async poll(): Promise<readonly SourceRecord[]> {
    this.#context?.log.debug('the plugin talks');
    await sleep(PAUSE_MS);
    return [];
  }

  stop(): void {}
}

export default sourceOf([], () => new TalkativeTask());
