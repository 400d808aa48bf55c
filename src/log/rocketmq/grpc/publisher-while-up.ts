/** A publisher that nobody waits for when the proxy is away: the brokers themselves may be there. */
import { LogError } from '../../log.js';
import { waitFor } from '../remoting/deadlines.js';
import { Publisher } from './publisher.js';
import type { ProxySettings } from './proxy-client.js';

/** Less than a lease: a heartbeat that waited here must still come in time. */
export const PROXY_PATIENCE_MS = 2000;
/** After that it is tried again. */
const AWAY_MS = 10_000;

type OnIssue = (message: string, error: unknown) => void;

export function openPublisherWhileUp(settings: ProxySettings, onIssue: OnIssue): PublisherWhileUp {
  return new PublisherWhileUp(new Publisher({ settings, deadlineMs: PROXY_PATIENCE_MS }), onIssue);
}

export class PublisherWhileUp {
  readonly #publisher: Pick<Publisher, 'append' | 'close'>;
  readonly #onIssue: OnIssue;
  readonly #now: () => number;
  #awayUntil = -Infinity;

  constructor(
    publisher: Pick<Publisher, 'append' | 'close'>,
    onIssue: OnIssue,
    now = () => performance.now(),
  ) {
    this.#publisher = publisher;
    this.#onIssue = onIssue;
    this.#now = now;
  }

  /** Null: the proxy is away. What was sent to it may still arrive. */
  async append(topic: string, values: readonly Uint8Array[]): Promise<number | null> {
    if (this.#now() < this.#awayUntil) return null;
    let reason: unknown;
    try {
      const done = await waitFor(this.#publisher.append(topic, values), PROXY_PATIENCE_MS, []);
      if (done !== null) return done.value;
      reason = new LogError('LOG_UNAVAILABLE', `the proxy did not answer within ${PROXY_PATIENCE_MS} ms`);
    } catch (error) {
      if (isFinal(error)) throw error;
      reason = error;
    }
    this.#awayUntil = this.#now() + AWAY_MS;
    this.#onIssue(`for ${AWAY_MS / 1000} s entries go to the brokers, not through the proxy`, reason);
    return null;
  }

  close(): Promise<void> {
    return this.#publisher.close();
  }
}

/** What would be no better at the brokers. */
function isFinal(error: unknown): boolean {
  return !(error instanceof LogError) || error.code === 'LOG_BAD_REQUEST' || error.code === 'LOG_CLOSED';
}
