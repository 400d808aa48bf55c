/** What was received and is neither acknowledged nor given back. Its time is prolonged for as long as that takes. */
import type { Delivery } from '../../shared.js';
import { isAway, mayPass } from './errors.js';
import { inParallel } from './parallel.js';
import type { PopClient, Receipt } from './pop-client.js';

const CHECK_MS = 1000;
/** Calls under way: each is for one message. */
const PARALLEL = 16;

export class HeldDelivery implements Delivery {
  readonly queue: number;
  readonly offset: number;
  readonly attempt: number;
  receipt: Receipt;
  /** On `performance.now()`. */
  expiresAt: number;
  /** Settles when its receipt will not change for now. */
  renewing: Promise<void> | null = null;

  constructor(at: Delivery, receipt: Receipt, expiresAt: number) {
    this.queue = at.queue;
    this.offset = at.offset;
    this.attempt = at.attempt;
    this.receipt = receipt;
    this.expiresAt = expiresAt;
  }
}

export interface HeldOptions {
  readonly client: Pick<PopClient, 'changeInvisible'>;
  readonly invisibleMs: number;
  readonly onIssue: (message: string, error: unknown) => void;
}

/** Bounded by what is received: see receiver.ts. */
export class Held {
  readonly #options: HeldOptions;
  readonly #all = new Set<HeldDelivery>();
  readonly #timer: NodeJS.Timeout;
  #renewal: Promise<void> | null = null;

  constructor(options: HeldOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#renewal ??= this.#renew().finally(() => {
        this.#renewal = null;
      });
    }, CHECK_MS).unref();
  }

  add(delivery: HeldDelivery): void {
    this.#all.add(delivery);
  }

  all(): readonly HeldDelivery[] {
    return [...this.#all];
  }

  /** They are not prolonged any more; their receipts stay as they are. */
  async drop(deliveries: readonly HeldDelivery[]): Promise<void> {
    for (const delivery of deliveries) this.#all.delete(delivery);
    for (const { renewing } of deliveries) if (renewing !== null) await renewing;
  }

  /** Others get them after `delayMs`. What cannot be given back comes to them when its time is over. */
  async release(deliveries: readonly HeldDelivery[], delayMs: number): Promise<void> {
    await this.drop(deliveries);
    let failure: unknown = null;
    await inParallel(deliveries, PARALLEL, async ({ receipt }) => {
      if (isAway(failure)) return;
      try {
        await this.#options.client.changeInvisible(receipt, delayMs);
      } catch (error) {
        failure ??= error;
      }
    });
    if (failure !== null)
      this.#options.onIssue('records could not be given back, and come again later', failure);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewal;
  }

  async #renew(): Promise<void> {
    const { invisibleMs, onIssue } = this.#options;
    const due = performance.now() + invisibleMs / 2;
    const old = [...this.#all].filter(({ expiresAt }) => expiresAt < due);
    let failure: unknown = null;
    await inParallel(old, PARALLEL, async (delivery) => {
      if (isAway(failure) || !this.#all.has(delivery)) return;
      const renewing = this.#prolong(delivery).catch((error: unknown) => {
        failure ??= error;
        const isOver = !mayPass(error) || performance.now() > delivery.expiresAt;
        if (isOver) this.#all.delete(delivery);
      });
      delivery.renewing = renewing;
      await renewing;
      delivery.renewing = null;
    });
    if (failure !== null)
      onIssue('records could not be kept, and may come to somebody else as well', failure);
  }

  async #prolong(delivery: HeldDelivery): Promise<void> {
    const { client, invisibleMs } = this.#options;
    const from = performance.now();
    delivery.receipt = await client.changeInvisible(delivery.receipt, invisibleMs);
    delivery.expiresAt = from + invisibleMs;
  }
}
