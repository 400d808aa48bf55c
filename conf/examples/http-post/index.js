/** A sink that posts the value of each record to a URL. An example: docs/writing-a-connector.md goes through it. */
import { RetriableError } from 'troupe/sdk';

const PATIENCE_MS = 5000;

class HttpPostTask {
  #url = '';
  #signal = null;

  start(context, config) {
    this.#url = config.string('url');
    this.#signal = context.signal;
  }

  async put(records) {
    for (const record of records) await this.#post(String(record.value));
  }

  async #post(body) {
    let status;
    try {
      status = await within(PATIENCE_MS, this.#signal, async (signal) => {
        const response = await fetch(this.#url, { method: 'POST', body, signal });
        await response.arrayBuffer();
        return response.status;
      });
    } catch (error) {
      throw new RetriableError(`${this.#url} is away: ${error.message}`, { cause: error });
    }
    if (status === 429 || status >= 500) throw new RetriableError(`${this.#url} answers ${status}`);
    if (status >= 300) throw new Error(`${this.#url} answers ${status}`);
  }

  /** What was answered is there: nothing is held back. */
  flush() {}

  stop() {}
}

/**
 * Gives `work` a signal that ends with the other, or after so long. `AbortSignal.any` would do, but on Node 20 each of its
 * calls leaves something in a signal that lives on.
 */
async function within(ms, signal, work) {
  const end = new AbortController();
  const stop = () => end.abort(signal.reason);
  const timer = setTimeout(() => end.abort(new Error(`no answer within ${ms} ms`)), ms);
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    return await work(end.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

const connector = {
  kind: 'sink',
  version: '1.0.0',
  shareable: true,
  config: [
    {
      name: 'url',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'Where each record is posted to.',
      validator: (value) => (URL.canParse(value) ? null : 'must be a URL'),
    },
  ],
  taskConfigs: (_context, _config, raw, maxTasks) => Array.from({ length: maxTasks }, () => raw),
  createTask: () => new HttpPostTask(),
};

export default { type: 'sink', plugin: connector };
