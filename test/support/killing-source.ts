/** A source whose task, or plan, ends its whole node, as native code or an allocation that fails does. Loaded as a plugin by the tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawConfig, SourceTask, SourceTaskContext } from '#troupe/sdk/index.js';
import { sourceOf } from './plugin-of.js';

class KillingTask implements SourceTask {
  #how = '';
  #signal: AbortSignal | null = null;

  start(context: SourceTaskContext, _config: unknown, raw: RawConfig): void {
    this.#how = raw['how'] ?? '';
    this.#signal = context.signal;
  }

  async poll(): Promise<[]> {
    await sleep(300, undefined, { signal: this.#signal ?? undefined }).catch(() => undefined);
    kill(this.#how);
    return [];
  }

  stop(): void {
    this.#signal = null;
  }
}

function kill(how: string | undefined): void {
  if (how === 'SIGABRT' || how === 'SIGKILL') process.kill(process.pid, how);
}

export default sourceOf(['how', 'plan'], () => new KillingTask(), {
  taskConfigs: (_context, _config, raw) => {
    kill(raw['plan']);
    return [raw];
  },
});
