import type { TransformChain } from '../../plugins/transform-chain.js';
import type { TaskActorContext } from './parts.js';

/** The supervisor waits for the end of the whole thread. */
const MAX_CLOSE_MS = 2000;

/** Ends transforms and predicates that are not used any more. What they throw is logged. */
export async function closeTransforms(
  { log, params }: Pick<TaskActorContext, 'log' | 'params'>,
  chain: TransformChain,
): Promise<void> {
  await chain.close(
    (cause) => {
      log.warn({ cause }, 'a transform or predicate did not end in order');
    },
    Math.min(MAX_CLOSE_MS, params.settings.stopTimeoutMs / 2),
  );
}
