/** A sink that posts the value of each record to a URL; docs/writing-a-connector.md goes through it. */
import {
  RetriableError,
  type Histogram,
  type Labelled,
  type ParsedConfig,
  type Plugin,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  within,
} from '@troupe/sdk';

const PATIENCE_MS = 5000;

class HttpPostTask implements SinkTask {
  #url = '';
  #signal = new AbortController().signal;
  #answered: Labelled<'status', Histogram> | null = null;

  start(context: SinkTaskContext, config: ParsedConfig): void {
    this.#answered = context.metrics.histogram({
      name: 'http_post_answer_seconds',
      help: 'Time that the URL took for a whole answer, by its status.',
      labels: ['status'],
    });
    this.#url = config.string('url');
    this.#signal = context.signal;
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    for (const record of records) await this.#post(String(record.value));
  }

  async #post(body: string): Promise<void> {
    const since = performance.now();
    let status;
    try {
      status = await within(PATIENCE_MS, this.#signal, async (signal) => {
        const response = await fetch(this.#url, { method: 'POST', body, signal });
        await response.arrayBuffer();
        return response.status;
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RetriableError(`${this.#url} is away: ${reason}`, { cause: error });
    }
    this.#answered?.with({ status }).observe((performance.now() - since) / 1000);
    if (status === 429 || status >= 500) throw new RetriableError(`${this.#url} answers ${status}`);
    if (status >= 300) throw new Error(`${this.#url} answers ${status}`);
  }

  /** What was answered is there: nothing is held back. */
  flush(): void {}

  stop(): void {}
}

const connector: SinkConnector = {
  kind: 'sink',
  version: '1.0.0',
  shareable: true,
  config: [
    {
      name: 'url',
      type: 'STRING',
      importance: 'HIGH',
      documentation: 'Where each record is posted to.',
      validator: (value) => (typeof value === 'string' && URL.canParse(value) ? null : 'must be a URL'),
    },
  ],
  taskConfigs: (_context, _config, raw, maxTasks) => Array.from({ length: maxTasks }, () => raw),
  createTask: () => new HttpPostTask(),
};

const plugin: Plugin = { type: 'sink', plugin: connector };
export default plugin;
