/**
 * A source that asks a URL for what is new: `GET url?after=7` answers a JSON array of `{"id": 8, "text": "…"}`, in the
 * order of their ids, and an empty one when there is nothing. An example: docs/writing-a-connector.md goes through it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { INT64_SCHEMA, RetriableError, SchemaBuilder, sourceRecord, STRING_SCHEMA, within } from 'troupe/sdk';

const PATIENCE_MS = 5000;
const IDLE_MS = 200;

const SCHEMA = SchemaBuilder.struct()
  .name('item')
  .field('id', INT64_SCHEMA)
  .field('text', STRING_SCHEMA)
  .build();

class HttpFeedTask {
  #url = '';
  #partition = {};
  #after = 0;
  #signal = null;

  start(context, config) {
    this.#url = config.string('url');
    this.#partition = { url: this.#url };
    this.#signal = context.signal;
    // Where the last start came to, as far as it is durable.
    this.#after = context.position(this.#partition)?.after ?? 0;
  }

  async poll() {
    const items = await this.#fetch();
    if (items.length === 0) await sleep(IDLE_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    return items.map((item) => this.#record(item));
  }

  #record({ id, text }) {
    this.#after = id;
    return sourceRecord({
      keySchema: INT64_SCHEMA,
      key: id,
      valueSchema: SCHEMA,
      value: { id, text },
      headers: [{ key: 'from', schema: STRING_SCHEMA, value: this.#url }],
      sourcePartition: this.#partition,
      sourcePosition: { after: id },
    });
  }

  async #fetch() {
    const url = new URL(this.#url);
    url.searchParams.set('after', String(this.#after));
    try {
      return await within(PATIENCE_MS, this.#signal, async (signal) => {
        const response = await fetch(url, { signal });
        if (response.ok) return await response.json();
        await response.arrayBuffer();
        throw new Error(`it answers ${response.status}`);
      });
    } catch (error) {
      // Told to stop: nothing more.
      if (this.#signal.aborted) return [];
      throw new RetriableError(`${this.#url} is away: ${error.message}`, { cause: error });
    }
  }

  stop() {}
}

const connector = {
  kind: 'source',
  version: '1.0.0',
  config: [
    {
      name: 'url',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'What is asked for new items.',
      validator: (value) => (URL.canParse(value) ? null : 'must be a URL'),
    },
  ],
  // One feed cannot be shared out: one task, however many are allowed.
  taskConfigs: (_context, _config, raw) => [raw],
  createTask: () => new HttpFeedTask(),
};

export default { type: 'source', plugin: connector };
