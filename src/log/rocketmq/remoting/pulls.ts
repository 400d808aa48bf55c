/**
 * Reads by offset that may wait. A broker that has nothing keeps the request until a message comes ("suspended"), and
 * there is no way to call it back; so a wait that ends early leaves it there, and the next pull from the same place
 * takes it over. Else a reader that waits briefly, and often, would be sent each message many times over.
 */
import { field } from './answers.js';
import type { Cluster } from './cluster.js';
import { RequestCode, ResponseCode } from './codes.js';
import type { RequestOptions } from './connection.js';
import { RemotingError } from './errors.js';
import type { Answer } from './frame.js';
import type { PullRequest, PullResult } from './types.js';
import { pause, waitFor } from './deadlines.js';

/** How long a broker is asked to wait. It looks at the time every 5 s only. */
const SUSPEND_MS = 15_000;
const SUSPEND_TIMEOUT_MS = SUSPEND_MS + 10_000;
/**
 * A broker never answers a pull that it works on while the topic is deleted, so that one is lost. Asked again, it does.
 * While anything arrives, though, the answer may be on its way behind others, over a slow link.
 */
const LOST_MS = 5000;
/** A broker that does not suspend is asked no more often than this. */
const MIN_SUSPENDED_MS = 500;

const SUSPEND_FLAG = 2;
const SUBSCRIPTION_FLAG = 4;
const NOTHING: readonly number[] = [ResponseCode.PULL_NOT_FOUND, ResponseCode.PULL_RETRY_IMMEDIATELY];

interface Suspended {
  readonly answer: Promise<PullResult>;
  readonly since: number;
  /** What was known when it was sent: nothing new at its offset. */
  readonly before: PullResult;
  /** By the one pull that waits for it. */
  taken: boolean;
}

export class Pulls {
  readonly #cluster: Cluster;
  /** By `keyOf`. Each is gone with its answer. */
  readonly #suspended = new Map<string, Suspended>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async pull(request: PullRequest): Promise<PullResult> {
    const { signal, waitMs } = request;
    signal?.throwIfAborted();
    const waitUntil = performance.now() + waitMs;
    const deadlineMs = waitMs + this.#cluster.deadlineMs;
    const attempt = (remainingMs: number): Promise<PullResult> =>
      this.#attempt(request, waitUntil, remainingMs);
    return this.#cluster.retrying(attempt, { deadlineMs, ...(signal !== undefined && { signal }) });
  }

  async #attempt(request: PullRequest, waitUntil: number, timeoutMs: number): Promise<PullResult> {
    const { signal } = request;
    const signals = signal === undefined ? [this.#cluster.closing] : [this.#cluster.closing, signal];
    const left = (): number => waitUntil - performance.now();
    let result = left() > 0 ? this.#suspended.get(keyOf(request))?.before : undefined;
    result ??= await this.#ask(request, 0, {
      // A busy connection hides that one is lost.
      timeoutMs: Math.min(timeoutMs, this.#cluster.deadlineMs),
      silenceMs: LOST_MS,
      ...(signal !== undefined && { signal }),
    });
    while (result.status === 'NO_NEW' && left() > 0) {
      const suspended = this.#suspend(request, result);
      try {
        const answer = await waitFor(suspended.answer, left(), signals);
        if (answer === null) return result;
        result = answer.value;
      } finally {
        suspended.taken = false;
      }
      if (result.status === 'NO_NEW' && performance.now() - suspended.since < MIN_SUSPENDED_MS)
        await pause(Math.min(MIN_SUSPENDED_MS, left()), signals);
    }
    return result;
  }

  #suspend(request: PullRequest, before: PullResult): Suspended {
    const key = keyOf(request);
    const left = this.#suspended.get(key);
    if (left !== undefined && !left.taken) {
      left.taken = true;
      return left;
    }
    const answer = this.#ask(request, SUSPEND_MS, { timeoutMs: SUSPEND_TIMEOUT_MS });
    const suspended: Suspended = { answer, since: performance.now(), before, taken: true };
    if (left === undefined) {
      this.#suspended.set(key, suspended);
      const forget = (): boolean => this.#suspended.delete(key);
      // Whoever waits for it sees how it fails.
      answer.then(forget, forget);
    }
    return suspended;
  }

  async #ask(request: PullRequest, suspendMs: number, options: RequestOptions): Promise<PullResult> {
    const { topic, queue, offset, group } = request;
    const answer = await this.#cluster.askQueue({
      what: `read topic ${topic}, queue ${queue.queueId} of ${queue.broker}, at ${offset}`,
      topic,
      queue,
      lane: 'pull',
      ...options,
      accept: [...NOTHING, ResponseCode.PULL_OFFSET_MOVED],
      question: {
        code: RequestCode.PULL_MESSAGE,
        fields: {
          consumerGroup: group,
          topic,
          queueId: String(queue.queueId),
          queueOffset: String(offset),
          maxMsgNums: String(request.maxMessages),
          maxMsgBytes: String(request.maxBytes),
          sysFlag: String(suspendMs > 0 ? SUBSCRIPTION_FLAG | SUSPEND_FLAG : SUBSCRIPTION_FLAG),
          suspendTimeoutMillis: String(suspendMs),
          commitOffset: '0',
          subscription: '*',
          subVersion: '0',
          expressionType: 'TAG',
        },
      },
    });
    return toResult(answer, offset);
  }
}

/** `maxBytes` and `maxMessages` belong to it: a pull must not be answered with more than it asked for. */
function keyOf({ topic, queue, offset, group, maxBytes, maxMessages }: PullRequest): string {
  return [topic, queue.broker, queue.queueId, offset, group, maxBytes, maxMessages].join(' ');
}

function toResult(answer: Answer, offset: number): PullResult {
  const what = 'read a queue';
  const result = {
    nextOffset: field(answer, 'nextBeginOffset', what),
    minOffset: Math.max(0, Number(answer.fields['minOffset'] ?? 0)),
    maxOffset: Math.max(0, Number(answer.fields['maxOffset'] ?? 0)),
  };
  if (answer.code === ResponseCode.SUCCESS) return { ...result, status: 'FOUND', body: answer.body };
  const moved = answer.code === ResponseCode.PULL_OFFSET_MOVED || result.nextOffset !== offset;
  if (answer.code === ResponseCode.PULL_RETRY_IMMEDIATELY && !moved)
    throw new RemotingError('LOG_UNAVAILABLE', `cannot ${what} (${answer.remark}). Try again`, {
      refused: true,
      responseCode: answer.code,
    });
  return { ...result, status: moved ? 'OFFSET_MOVED' : 'NO_NEW', body: Buffer.alloc(0) };
}
