/** Why an actor is down, for who asks it meanwhile. */
import { RuntimeFailure } from '../runtime.js';
import { ActorError } from '../../actors/kernel/errors.js';
import type { Protocol, Ref, SystemRef, TreeNode } from '../../actors/kernel/protocol.js';

/** Tasks come and go without taking others down. */
const TASKS = 'tasks';

/** A sentence about the first actor that does not run, in the order in which they start; empty while it has no past. */
export function downReason(tree: TreeNode): string {
  const down = actorsOf(tree).find(({ state }) => state !== 'running');
  const exit = down?.lastExit;
  if (down === undefined || exit === undefined || exit.code === 'NORMAL') return '';
  return `${down.id} was last ended by ${exit.code}: ${exit.message.split('\n', 1)[0] ?? ''}`;
}

function actorsOf(node: TreeNode): TreeNode[] {
  if (node.kind === 'actor') return [node];
  return node.id === TASKS ? [] : (node.children ?? []).flatMap(actorsOf);
}

export const NODE_STOPPING = 'The node is stopping.';

/** The same ref, whose asks tell what keeps the actor down. */
export function explained<P extends Protocol>(
  ref: Ref<P>,
  system: SystemRef,
  isStopping: () => boolean,
): Ref<P> {
  return {
    id: ref.id,
    get up() {
      return ref.up;
    },
    tell: (kind, payload, transfer) => ref.tell(kind, payload, transfer),
    onChange: (listener) => ref.onChange(listener),
    ask: async (kind, request, options) => {
      try {
        return await ref.ask(kind, request, options);
      } catch (error) {
        if (!(error instanceof ActorError) || error.code !== 'ACTOR_DOWN') throw error;
        if (isStopping()) throw new RuntimeFailure('SHUTTING_DOWN', NODE_STOPPING, { cause: error });
        const reason = downReason(await system.tree());
        const message = `The ${ref.id} actor of this node is starting or being restarted; try again.`;
        throw new RuntimeFailure('ACTOR_DOWN', reason === '' ? message : `${message} ${reason}`, {
          cause: error,
        });
      }
    },
  };
}
