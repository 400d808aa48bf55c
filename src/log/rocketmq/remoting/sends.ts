/** Batches of messages into a chosen queue. */
import { ByteBudget } from '../../byte-budget.js';
import { field } from './answers.js';
import type { Cluster } from './cluster.js';
import { RequestCode } from './codes.js';
import { RemotingError } from './errors.js';
import type { SendBatchRequest } from './types.js';
import { timeLeft, waitFor, whileRefused } from './deadlines.js';

const PRODUCER_GROUP = 'troupe';

export class Sends {
  readonly #cluster: Cluster;
  readonly #budget: ByteBudget;

  constructor(cluster: Cluster, maxInFlightBytes: number) {
    this.#cluster = cluster;
    this.#budget = new ByteBudget(maxInFlightBytes);
  }

  async send(request: SendBatchRequest): Promise<number> {
    const startedAt = performance.now();
    const bytes = request.body.length;
    await this.#take(bytes);
    try {
      const deadlineMs = timeLeft(this.#cluster.deadlineMs, startedAt);
      return await this.#cluster.retrying((timeoutMs) => this.#sendOnce(request, timeoutMs), {
        deadlineMs,
        mayRetry: whileRefused,
        ...(request.permit !== undefined && { signal: request.permit.signal }),
      });
    } finally {
      this.#budget.give(bytes);
    }
  }

  async #take(bytes: number): Promise<void> {
    const { closing, deadlineMs } = this.#cluster;
    const taking = this.#budget.take(bytes);
    const giveBack = (): void => {
      taking.then(
        () => this.#budget.give(bytes),
        () => undefined,
      );
    };
    try {
      if ((await waitFor(taking, deadlineMs, [closing])) !== null) return;
    } catch (error) {
      giveBack();
      throw error;
    }
    giveBack();
    throw new RemotingError(
      'LOG_UNAVAILABLE',
      `other messages on their way kept these from being sent within ${deadlineMs} ms. Check that the broker keeps up, and try again`,
      { refused: true },
    );
  }

  /** The header's names are letters: SendMessageRequestHeaderV2. */
  async #sendOnce(
    { topic, queue, body, count, permit, sysFlag = 0, bornTimestamp = Date.now() }: SendBatchRequest,
    timeoutMs: number,
  ): Promise<number> {
    const what = `send ${count} messages to topic ${topic}, queue ${queue.queueId} of ${queue.broker}`;
    const fields = {
      a: PRODUCER_GROUP,
      b: topic,
      // A broker that may create topics does it after the model of this one. It is not there when that matters.
      c: topic,
      d: '1',
      e: String(queue.queueId),
      f: String(sysFlag),
      g: String(bornTimestamp),
      h: '0',
      i: '',
      j: '0',
      k: 'false',
      m: 'true',
    };
    const question = { code: RequestCode.SEND_BATCH_MESSAGE, fields, body };
    const answer = await this.#cluster.askQueue({
      what,
      topic,
      queue,
      question,
      timeoutMs,
      ...(permit !== undefined && { permit }),
    });
    return field(answer, 'queueOffset', what);
  }
}
