/** A client of `GET /events`. */
import { request, type IncomingMessage } from 'node:http';
import { until } from './wait.js';

export interface ReceivedEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const PATIENCE_MS = 60_000;

export class EventClient {
  readonly events: ReceivedEvent[] = [];
  /** Of the last thing that came. */
  lastId = '';
  ended = false;
  readonly #response: IncomingMessage;
  #rest = '';

  private constructor(response: IncomingMessage, reads: boolean) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('close', () => {
      this.ended = true;
    });
    if (reads) this.read();
  }

  /** Resolves with its first bytes. `reads`: not before `read`. */
  static async open(
    port: number,
    query = '',
    { after, reads = true }: { readonly after?: string; readonly reads?: boolean } = {},
  ): Promise<EventClient> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port,
        path: `/events${query}`,
        headers: after === undefined ? {} : { 'last-event-id': after },
      });
      sent.on('response', resolve);
      sent.on('error', reject);
      sent.end();
    });
    if (response.statusCode !== 200) throw new Error(`/events: ${String(response.statusCode)}`);
    const client = new EventClient(response, reads);
    if (reads) await until('the stream has begun', () => client.lastId !== '', PATIENCE_MS);
    return client;
  }

  read(): void {
    this.#response.on('data', (text: string) => {
      const messages = (this.#rest + text).split('\n\n');
      this.#rest = messages.pop() ?? '';
      for (const message of messages) this.#take(message);
    });
  }

  close(): void {
    this.#response.destroy();
  }

  /** The first event of this name that has come, or comes, with such data. */
  async next(name: string, data: ReceivedEvent['data'] = {}): Promise<ReceivedEvent> {
    const fits = ({ event, data: found }: ReceivedEvent): boolean =>
      event === name &&
      Object.entries(data).every(([key, value]) => JSON.stringify(found[key]) === JSON.stringify(value));
    await until(
      `event ${name} ${JSON.stringify(data)}`,
      () => {
        if (this.events.some(fits)) return true;
        throw new Error(
          `${this.events.length} events: ${JSON.stringify(this.events.slice(-10)).slice(0, 5000)}`,
        );
      },
      PATIENCE_MS,
    );
    const found = this.events.find(fits);
    if (found === undefined) throw new Error('it was there');
    return found;
  }

  #take(message: string): void {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1] ?? '';
    if (field('id') !== '') this.lastId = field('id');
    if (field('event') === '') return;
    // It is JSON by contract; what else comes fails the test.
    const data = JSON.parse(field('data')) as ReceivedEvent['data'];
    this.events.push({ event: field('event'), id: field('id'), data });
  }
}
