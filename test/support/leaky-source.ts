/** A source that gives its password away wherever it can, but for its records. */
/* eslint-disable no-console -- it is one of the ways */
import { writeFileSync } from 'node:fs';
import type { Plugin, RawConfig, SourceTask, SourceTaskContext } from '#troupe/sdk/index.js';

class LeakyTask implements SourceTask {
  #raw: RawConfig = {};

  start(context: SourceTaskContext, _config: unknown, raw: RawConfig): void {
    this.#raw = raw;
    const password = raw['db.password'] ?? '';
    writeFileSync(raw['proof'] ?? '', JSON.stringify(raw));
    context.log.warn(`logging in with ${password}`, { tried: [password], url: raw['url'] });
    console.error('printed', { password: [password] }, password);
    if (raw['fail'] === 'start') throw new Error(`cannot log in at ${raw['url']} with ${password}`);
  }

  poll(): Promise<never[]> {
    const password = this.#raw['db.password'] ?? '';
    if (this.#raw['fail'] !== 'later') throw new Error('refused', { cause: new Error(`wrong: ${password}`) });
    // Nobody awaits it.
    setImmediate(() => {
      throw new Error(`uncaught: ${password}`);
    });
    return new Promise(() => undefined);
  }

  stop(): void {
    console.log(`stopped ${this.#raw['db.password']}`);
  }
}

const key = (name: string, type: 'STRING' | 'PASSWORD' | 'INT'): Plugin['plugin']['config'][number] => ({
  name,
  type,
  importance: 'HIGH',
  documentation: name,
  defaultValue: null,
});

const plugin: Plugin = {
  type: 'source',
  plugin: {
    kind: 'source',
    version: '1.0.0',
    config: [
      key('db.password', 'PASSWORD'),
      ...['proof', 'url', 'fail', 'check'].map((name) => key(name, 'STRING')),
      key('number', 'INT'),
    ],
    validate: (_config, raw) => {
      console.log(`validating ${raw['db.password']}`);
      const reason = `is refused, and ${raw['db.password']} too`;
      return raw['check'] === 'refuse' ? [{ field: 'url', value: raw['url'] ?? '', reason }] : [];
    },
    taskConfigs: (_context, _config, raw) => {
      console.log(`planning ${raw['db.password']}`);
      return [{ ...raw, 'made.up': `jdbc:x?password=${raw['db.password']}` }];
    },
    createTask: () => new LeakyTask(),
  },
};

export default plugin;
