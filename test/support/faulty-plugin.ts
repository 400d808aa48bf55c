/** A source that delivers a few records and then misbehaves as it is told to. Loaded as a plugin by test/fault/tasks. */
import { existsSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataError,
  FatalError,
  sourceRecord,
  type Plugin,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '#troupe/sdk/index.js';

class FaultyTask implements SourceTask {
  #fault = '';
  #from = 0;
  readonly #kept: unknown[] = [];

  async start(
    context: SourceTaskContext,
    _config: unknown,
    raw: Readonly<Record<string, string>>,
  ): Promise<void> {
    this.#fault = raw['fault'] ?? '';
    const position = context.position({ part: 'one' });
    this.#from = typeof position?.['at'] === 'number' ? position['at'] : 0;
    if (this.#fault === 'start') throw new Error('the source system says no');
    if (this.#fault === 'hang-in-start') await forever();
  }

  async poll(): Promise<SourceRecord[]> {
    if (this.#from > 0) await this.#misbehave();
    this.#from += 1;
    const position = { at: this.#from };
    return [
      sourceRecord({
        value: `record ${this.#from}`,
        sourcePartition: { part: 'one' },
        sourcePosition: position,
      }),
    ];
  }

  async stop(): Promise<void> {
    if (this.#fault === 'hang-in-stop') await forever();
  }

  async #misbehave(): Promise<void> {
    switch (this.#fault) {
      case 'throw':
        throw new Error('something broke in the plugin');
      case 'fatal':
        throw new FatalError('somebody has to do something first');
      case 'bad-data':
        throw new DataError('this can never be read');
      case 'throw-much':
        throw Object.assign(new Error('m'.repeat(2_000_000), { cause: new Error('c'.repeat(2_000_000)) }), {
          code: 'C'.repeat(2_000_000),
        });
      case 'reject-elsewhere':
        void Promise.reject(new Error('nobody awaits this'));
        await sleep(1000);
        return;
      case 'exit':
        process.exit(7);
        break;
      case 'spin':
        for (;;) Math.random();
      case 'hang':
        await forever();
        return;
      case 'block':
        // Waits in the kernel for who writes, and no termination of the thread ends that.
        openSync('fifo', 'r');
        return;
      case 'block-pool':
        // More than the pool has by default, and none of them ever ends.
        await Promise.all(Array.from({ length: 8 }, () => open('fifo', 'r')));
        return;
      case 'map': {
        const map = new Map<number, object>();
        for (let i = 0; ; i += 1) map.set(i, { i });
      }
      case 'heap':
        for (let i = 0; i < 200; i += 1) {
          for (let k = 0; k < 20_000; k += 1) this.#kept.push({ i, k, text: `${i}-${k}` });
          await sleep(1);
        }
        return;
      default:
        await sleep(100);
    }
  }
}

function forever(): Promise<never> {
  // A timer keeps the thread alive, as a socket of a real plugin would.
  setInterval(() => undefined, 1000);
  return new Promise<never>(() => undefined);
}

const EATERS: Readonly<Record<string, () => unknown>> = {
  eat: () => new Array<number>(100_000).fill(0.5),
  // Too large for what is left below V8's limit, which ends the whole process (src/core/task-heap.ts).
  'eat-large': () => new Array<number>(4_000_000).fill(0.5),
  'eat-maps': () => new Map(Array.from({ length: 400_000 }, (_, i) => [i, [i]])),
  'eat-buffers': () => Buffer.alloc(64 << 20).fill(1),
};

function eat(piece: () => unknown): never {
  const eaten: unknown[] = [];
  for (;;) eaten.push(piece());
}

/** Between its bites others may run. */
async function nibble(piece: () => unknown): Promise<never> {
  const eaten: unknown[] = [];
  for (;;) {
    eaten.push(piece());
    await sleep(1);
  }
}

const plugin: Plugin = {
  type: 'source',
  plugin: {
    kind: 'source',
    version: '1.0.0',
    config: [
      {
        name: 'fault',
        type: 'STRING',
        importance: 'HIGH',
        documentation: 'What goes wrong.',
        defaultValue: '',
      },
      {
        name: 'check',
        type: 'STRING',
        importance: 'LOW',
        documentation: 'What goes wrong in validation.',
        defaultValue: '',
      },
      {
        name: 'plan',
        type: 'STRING',
        importance: 'LOW',
        documentation: 'What goes wrong in planning.',
        defaultValue: '',
      },
    ],
    validate: async (_config, raw) => {
      if (raw['check'] === 'hang') {
        process.stdout.write(`the check of ${raw['name']} hangs\n`);
        await forever();
      }
      return [];
    },
    taskConfigs: async (_context, _config, raw) => {
      // `eat:path` eats for as long as there is such a file.
      const [plan, path] = (raw['plan'] ?? '').split(':');
      if (path !== undefined && !existsSync(path)) return [raw];
      if (plan === 'hang') {
        process.stdout.write(`the plan of ${raw['name']} hangs\n`);
        await forever();
      }
      if (plan === 'spin') for (;;) Math.random();
      const piece = EATERS[plan?.replace('nibble', 'eat') ?? ''];
      if (piece !== undefined && plan?.startsWith('eat')) eat(piece);
      if (piece !== undefined) await nibble(piece);
      if (plan === 'throw') throw new Error('cannot plan');
      return [raw];
    },
    createTask: () => new FaultyTask(),
  },
};

export default plugin;
