import type { Log } from '../../log/log.js';
import { ConnectError } from '../../sdk/errors.js';
import type { ConnectorConfigs } from './connector-configs.js';
import { OneByOne } from './one-by-one.js';
import type { PlanningPool } from './planning-pool.js';
import type { RecordsReply, RecordsRequest } from './protocol.js';
import { readWindow, type Window, type WindowRequest } from './topic-window.js';

/** Records of topics, for users who look at them. */
export class TopicRecords {
  readonly #log: Pick<Log, 'read' | 'ranges' | 'describeTopic'>;
  readonly #own: ReadonlySet<string>;
  readonly #configs: Pick<ConnectorConfigs, 'get'>;
  readonly #pool: Pick<PlanningPool, 'run'>;
  /** A read holds whole batches, which may be large. */
  readonly #reading = new OneByOne();

  constructor(
    log: Pick<Log, 'read' | 'ranges' | 'describeTopic'>,
    own: readonly string[],
    configs: Pick<ConnectorConfigs, 'get'>,
    pool: Pick<PlanningPool, 'run'>,
  ) {
    this.#log = log;
    this.#own = new Set(own);
    this.#configs = configs;
    this.#pool = pool;
  }

  /** TOPIC_NOT_FOUND, TOPIC_OWN, QUEUE_NOT_FOUND, CONNECTOR_NOT_FOUND, and what converters are refused with. */
  async read({ converters, ...request }: RecordsRequest, signal: AbortSignal): Promise<RecordsReply> {
    const of =
      'connector' in converters
        ? { name: converters.connector, config: this.#configOf(converters.connector) }
        : { name: null, config: converters.config };
    const { runs, queues, stopped } = await this.window(request, signal);
    const job = { kind: 'records', ...of, runs, transform: false } as const;
    return { queues, records: await this.#pool.run(job, { signal }), stopped };
  }

  /** TOPIC_NOT_FOUND, TOPIC_OWN, QUEUE_NOT_FOUND. */
  async window(request: WindowRequest, signal: AbortSignal): Promise<Window> {
    const { topic } = request;
    // Configurations stand in one of them, with passwords.
    if (this.#own.has(topic))
      throw refused('TOPIC_OWN', `topic ${topic} is one of the cluster's own: its records are not shown`);
    if ((await this.#log.describeTopic(topic)) === null)
      throw refused('TOPIC_NOT_FOUND', `there is no topic ${topic}`);
    return this.#reading.run(() => {
      signal.throwIfAborted();
      return readWindow(this.#log, request, signal);
    });
  }

  #configOf(name: string): Readonly<Record<string, string>> {
    const entry = this.#configs.get(name);
    if (entry === null) throw refused('CONNECTOR_NOT_FOUND', `Connector ${name} not found`);
    return entry.config;
  }
}

function refused(code: string, message: string): ConnectError {
  return new ConnectError(message, { code });
}
