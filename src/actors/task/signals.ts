/** Signals of users on their way into the plugin of a task, and its answers on their way out. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UnitAnswer } from '../../core/connectors/signals.js';
import type { UnitKey } from '../../core/model.js';
import { checkAnswer } from '../../plugins/signal-answers.js';
import { ConnectError } from '../../sdk/errors.js';
import type { SourceTask } from '../../sdk/plugin.js';
import { ActorError } from '../kernel/errors.js';
import { hideSecretsIn } from '../kernel/known-secrets.js';
import type { ActorLogger, Ref } from '../kernel/protocol.js';
import { toWireError } from '../kernel/wire-error.js';
import type { DeliveredSignal, RebalancerProtocol } from '../rebalancer/protocol.js';
import type { Gate } from './gate.js';
import type { PluginCalls } from './plugin-calls.js';

const ANSWER_MS = 3000;
const AGAIN_MS = 1000;

export interface TaskSignalsParts {
  readonly unit: UnitKey;
  readonly rebalancer: Ref<RebalancerProtocol>;
  readonly gate: Pick<Gate, 'leased' | 'wake'>;
  readonly calls: PluginCalls;
  readonly log: Pick<ActorLogger, 'info' | 'warn'>;
  readonly signal: AbortSignal;
  /** A call that takes longer is answered for, and the task fails: its plugin can be given nothing else. */
  readonly timeoutMs: number;
}

/** What the loops look at. */
export type Signals = Pick<TaskSignals, 'waiting' | 'serve' | 'onArrival'>;

type Signalled = Pick<SourceTask, 'signal'>;

export class TaskSignals {
  readonly #parts: TaskSignalsParts;
  /** As many as a connector may have that are not answered: core/connectors/signals.ts. */
  readonly #waiting: DeliveredSignal[] = [];
  readonly #sending = new Set<Promise<void>>();
  #listener: () => void = () => undefined;

  constructor(parts: TaskSignalsParts) {
    this.#parts = parts;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Of the loop that runs now, in place of the one before. */
  onArrival(listener: () => void): void {
    this.#listener = listener;
  }

  arrived(signals: readonly DeliveredSignal[]): void {
    if (signals.length === 0) return;
    this.#waiting.push(...signals);
    this.#parts.gate.wake();
    this.#listener();
  }

  /** Between two calls of the plugin. Without the lease another node may run the task: then they wait. */
  async serve(task: Signalled): Promise<void> {
    const { gate, signal } = this.#parts;
    while (gate.leased && !signal.aborted) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const answer = await this.#ask(task, next);
      const sent = this.#send(next, answer);
      if (answer.ok || answer.code !== 'SIGNAL_TIMEOUT') continue;
      // Else its next start would hang in the same signal again.
      await sent;
      throw new ConnectError(answer.message, { code: answer.code });
    }
  }

  /** The answers that were given are in the log, or will not be. Each takes `ANSWER_MS` at most once the task stops. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  async #ask(task: Signalled, { id, type, data }: DeliveredSignal): Promise<UnitAnswer> {
    const { calls, timeoutMs, log } = this.#parts;
    if (task.signal === undefined)
      return { ok: false, code: 'SIGNAL_NOT_SUPPORTED', message: 'this connector’s tasks take no signals' };
    log.info({ signal: id, type }, 'a signal');
    const over = new AbortController();
    const late = async (): Promise<never> => {
      await sleep(timeoutMs, undefined, { signal: over.signal });
      throw new ConnectError(
        `signal() did not return within ${timeoutMs} ms (task.stall.timeout.ms): the task starts again`,
        { code: 'SIGNAL_TIMEOUT' },
      );
    };
    try {
      const call = calls.run('signal', () => task.signal?.({ id, type, data }));
      return { ok: true, answer: hideSecretsIn(checkAnswer(await Promise.race([call, late()]))) };
    } catch (error) {
      const { code, message } = toWireError(error);
      log.warn({ signal: id, type, code, cause: message }, 'a signal failed');
      return { ok: false, code: code ?? 'SIGNAL_FAILED', message };
    } finally {
      over.abort();
    }
  }

  #send(signal: DeliveredSignal, answer: UnitAnswer): Promise<void> {
    const sent = this.#sendUntilTaken(signal, answer).finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
    return sent;
  }

  /** An answer that is lost with this thread is asked for again, of the next one. */
  async #sendUntilTaken({ id }: DeliveredSignal, answer: UnitAnswer): Promise<void> {
    const { rebalancer, unit, signal, log } = this.#parts;
    for (;;) {
      try {
        await rebalancer.ask('answerSignal', { unit, id, answer }, { deadlineMs: ANSWER_MS });
        return;
      } catch (error) {
        const code = error instanceof ActorError ? (error.remoteCode ?? error.code) : null;
        // Forgotten meanwhile, with its connector or to make room.
        if (signal.aborted || code === 'SIGNAL_NOT_FOUND' || code === 'CONNECTOR_NOT_FOUND') return;
        log.warn({ signal: id, code }, 'the answer to a signal is not in the log yet; it is sent again');
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
