import type { TargetState, UnitKey } from '../../core/model.js';
import { ActorError } from '../kernel/errors.js';
import type { Ref } from '../kernel/protocol.js';
import type { DeliveredSignal, RebalancerProtocol } from '../rebalancer/protocol.js';

type Target = RebalancerProtocol['ask']['target'];

export interface FollowTargetOptions {
  readonly rebalancer: Ref<RebalancerProtocol>;
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly onTarget: (target: TargetState) => void;
  /** With each word, before `onTarget`. Default: the task keeps the config that it was started with. */
  readonly config?: {
    /** Started for that generation; the version of the newest that was heard of. */
    readonly running: () => { readonly generation: number; readonly version: number };
    readonly heard: (newer: Target['reply']['config']) => void;
  };
  /** Each once, in order. Default: they are not taken. */
  readonly onSignals?: (signals: readonly DeliveredSignal[]) => void;
  /** Of one long poll: the rebalancer answers only when the target changes. */
  readonly deadlineMs: number;
}

const RETRY_MS = 1000;

/** Long-polls the target state until the signal. While the rebalancer is away the last word holds. */
export async function followTarget(options: FollowTargetOptions): Promise<void> {
  const { rebalancer, unit, epoch, signal, onTarget, deadlineMs } = options;
  let known: TargetState | null = null;
  let seen: number | undefined;
  let wake = (): void => undefined;
  rebalancer.onChange((up) => {
    if (up) wake();
  });
  signal.addEventListener('abort', () => {
    wake();
  });
  while (!signal.aborted) {
    try {
      const reply: Target['reply'] = await rebalancer.ask(
        'target',
        {
          unit,
          epoch,
          known,
          ...(seen !== undefined && { seen }),
          ...(options.config && { running: options.config.running() }),
        },
        { deadlineMs, signal },
      );
      known = reply.state;
      options.config?.heard(reply.config);
      onTarget(reply.state);
      const { signals = [] } = reply;
      seen = signals.at(-1)?.offset ?? seen;
      options.onSignals?.(signals);
    } catch (error) {
      if (signal.aborted || mayAskAtOnce(error, rebalancer.up)) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, RETRY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** No news for so long, or a new rebalancer that was there before the old one's end was heard of. */
function mayAskAtOnce(error: unknown, up: boolean): boolean {
  return error instanceof ActorError && (error.code === 'ASK_TIMEOUT' || (error.code === 'ACTOR_DOWN' && up));
}
