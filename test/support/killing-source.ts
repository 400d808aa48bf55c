/** A source whose task ends its whole node, as native code or an allocation that fails does. Loaded as a plugin by the tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plugin, RawConfig, SourceTask, SourceTaskContext } from '#troupe/sdk/index.js';

class KillingTask implements SourceTask {
  #how = '';
  #signal: AbortSignal | null = null;

  start(context: SourceTaskContext, _config: unknown, raw: RawConfig): void {
    this.#how = raw['how'] ?? '';
    this.#signal = context.signal;
  }

  async poll(): Promise<[]> {
    await sleep(300, undefined, { signal: this.#signal ?? undefined }).catch(() => undefined);
    if (this.#how === 'SIGABRT' || this.#how === 'SIGKILL') process.kill(process.pid, this.#how);
    return [];
  }

  stop(): void {
    this.#signal = null;
  }
}

const plugin: Plugin = {
  type: 'source',
  plugin: {
    kind: 'source',
    version: '1.0.0',
    config: [
      {
        name: 'how',
        type: 'STRING',
        importance: 'LOW',
        documentation: 'How it ends its node.',
        defaultValue: '',
      },
    ],
    taskConfigs: (_context, _config, raw) => [raw],
    createTask: () => new KillingTask(),
  },
};

export default plugin;
