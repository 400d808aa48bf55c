/** A sink that appends the value of each record to a file, as a line of JSON. */
import { open } from 'node:fs/promises';
import {
  FatalError,
  type ParsedConfig,
  type Plugin,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@troupe/sdk';

class JsonLinesTask implements SinkTask {
  #path = '';
  #lines: string[] = [];

  async start(context: SinkTaskContext, config: ParsedConfig): Promise<void> {
    this.#path = config.string('path');
    await context.files.check(this.#path, 'path');
  }

  put(records: readonly SinkRecord[]): void {
    this.#lines.push(...records.map(({ value }) => `${JSON.stringify(String(value))}\n`));
  }

  async flush(): Promise<void> {
    const lines = this.#lines.splice(0);
    try {
      const file = await open(this.#path, 'a');
      try {
        await file.appendFile(lines.join(''));
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw new FatalError(`${this.#path} cannot be written`, { cause: error });
    }
  }

  stop(): void {
    this.#lines = [];
  }
}

const connector: SinkConnector = {
  kind: 'sink',
  version: '1.2.3',
  config: [
    {
      name: 'path',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'The file that lines are appended to.',
      validator: (value) => (value === '' ? 'must not be empty' : null),
    },
  ],
  validate: async (config, _raw, { files }) => {
    const path = config.string('path');
    try {
      await files.check(path, 'path');
      return [];
    } catch (error) {
      return [{ field: 'path', value: path, reason: error instanceof Error ? error.message : String(error) }];
    }
  },
  taskConfigs: (_context, _config, raw) => [raw],
  createTask: () => new JsonLinesTask(),
};

const plugin: Plugin = { type: 'sink', plugin: connector };
export default plugin;
