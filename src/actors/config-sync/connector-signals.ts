import {
  isAnswered,
  signalOf,
  signalsOf,
  type SignalAnswer,
  type SignalRecord,
} from '../../core/connectors/signals.js';
import type { ConfigEntry, ConfigResult } from '../../core/connectors/config-machine.js';
import { ConnectError } from '../../sdk/errors.js';
import { toWireError } from '../kernel/wire-error.js';
import type { ConfigReplica } from './cold-start.js';
import type { PlanningPool } from './planning-pool.js';
import type { ConfigSyncProtocol } from './protocol.js';

type Ask = ConfigSyncProtocol['ask'];

/** Signals to connectors: into the log, out of it to whoever asks, and the answers of planning sides. */
export class ConnectorSignals {
  readonly #replica: ConfigReplica;
  readonly #pool: Pick<PlanningPool, 'run'>;
  /** Of this node, in answers. */
  readonly #node: string;

  constructor(replica: ConfigReplica, pool: Pick<PlanningPool, 'run'>, node: string) {
    this.#replica = replica;
    this.#pool = pool;
    this.#node = node;
  }

  list(name: string): readonly SignalRecord[] {
    return signalsOf(this.#replica.state.inner.signals, name);
  }

  get(name: string, id: string): SignalRecord | null {
    return signalOf(this.#replica.state.inner.signals, name, id);
  }

  /** Durable first; then as it is when all have answered, or the time is over. */
  async send(
    { name, id, signal, to, waitMs }: Ask['signal']['request'],
    gone: AbortSignal,
  ): Promise<SignalRecord> {
    const { signal: sent } = await this.#submit({ type: 'SIGNAL', name, id, signal, to });
    if (sent === undefined) throw new Error('a signal that was written is there');
    await this.#untilAnswered(name, id, AbortSignal.any([gone, AbortSignal.timeout(waitMs)]));
    // Nothing of it is known any more where the connector was deleted meanwhile.
    return this.get(name, id) ?? sent;
  }

  async answer({ name, unit, id, answer }: Ask['answerSignal']['request']): Promise<Record<string, never>> {
    await this.#submit({ type: 'ANSWER', name, id, unit, answer: { ...answer, node: this.#node } });
    return {};
  }

  /** Asks the planning side, which runs in the pool. Rejects where it is not known what comes of it. */
  async plannerAnswers(
    { name, id }: Ask['signalPlanner']['request'],
    gone: AbortSignal,
  ): Promise<Record<string, never>> {
    const { connectors, signals } = this.#replica.state.inner;
    const config = connectors.get(name)?.config;
    const sent = signalOf(signals, name, id);
    if (config === undefined || sent === null)
      throw new ConnectError(`connector ${name} has no signal ${id}`, { code: 'SIGNAL_NOT_FOUND' });
    const { type, data } = sent.signal;
    let answer: SignalAnswer;
    let replan = false;
    try {
      const signal = { id, type, data };
      const said = await this.#pool.run({ kind: 'signal', name, config, signal }, { signal: gone });
      answer = { ok: true, answer: said.answer, node: this.#node };
      ({ replan } = said);
    } catch (error) {
      // Whoever asks next has it done again.
      if (gone.aborted) throw error;
      const { code, message } = toWireError(error);
      answer = { ok: false, code: code ?? 'PLANNING_FAILED', message, node: this.#node };
    }
    await this.#submit({ type: 'ANSWER', name, id, unit: name, answer, ...(replan && { replan }) });
    return {};
  }

  async replan(name: string): Promise<Record<string, never>> {
    await this.#submit({ type: 'REPLAN', name });
    return {};
  }

  async #untilAnswered(name: string, id: string, over: AbortSignal): Promise<void> {
    const isOver = (): boolean => {
      const record = this.get(name, id);
      return over.aborted || record === null || isAnswered(record);
    };
    if (isOver()) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!isOver()) return;
        for (const each of forget) each();
        resolve();
      };
      const forget = [this.#replica.onApplied(look), this.#replica.onReplaced(look)];
      over.addEventListener('abort', look, { once: true });
    });
  }

  async #submit(entry: ConfigEntry): Promise<Extract<ConfigResult, { ok: true }>> {
    const result = await this.#replica.submit(entry);
    if (result === null) throw new Error('only a saved copy has no result');
    if (!result.ok) throw new ConnectError(result.message, { code: result.code });
    return result;
  }
}
