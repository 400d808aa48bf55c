import type { SystemMethod } from '../actors/kernel/control.js';
import type { ActorId, MetricsReport, SystemRef, TreeNode } from '../actors/kernel/protocol.js';
import { checkActorSpec } from './check-spec.js';
import type { Loggers } from './loggers.js';
import type { SupervisorNode } from './supervisor-node.js';
import { SystemError } from './system-error.js';

export interface CallTarget {
  /** Supervisors that run. */
  readonly supervisors: ReadonlyMap<ActorId, SupervisorNode>;
  readonly tree: () => TreeNode;
  readonly ledger: { since(version: number): MetricsReport };
  readonly loggers: Loggers;
}

type Children = Awaited<ReturnType<SystemRef['children']>>;

/** What a thread asks of its supervisors. The arguments come from another thread: they are checked here. */
export async function performCall(
  target: CallTarget,
  method: SystemMethod,
  args: readonly unknown[],
): Promise<unknown> {
  switch (method) {
    case 'startChild':
      return startChild(target, args[0], args[1]);
    case 'replaceSpec':
      checkActorSpec(args[1]);
      supervisorOf(target, args[0]).replaceSpec(args[1]);
      return undefined;
    case 'stopChild':
      return ownerOf(target, args[0])?.stopChild(String(args[0]));
    case 'children':
      return children(supervisorOf(target, args[0]));
    case 'tree':
      return target.tree();
    case 'metrics':
      return target.ledger.since(typeof args[0] === 'number' ? args[0] : 0);
    case 'logLevels':
      return target.loggers.list();
    case 'setLogLevel':
      return target.loggers.set(args[0], args[1]);
  }
}

async function startChild(target: CallTarget, supervisor: unknown, spec: unknown): Promise<void> {
  checkActorSpec(spec);
  const owner = ownerOf(target, spec.id);
  const passive = owner?.children.find(({ id }) => id === spec.id)?.state === 'passive';
  const into = supervisorOf(target, supervisor);
  if (target.supervisors.has(spec.id) || (owner !== undefined && !(passive && owner === into))) {
    throw new SystemError('DUPLICATE_CHILD', `there is a child ${spec.id} already: stop it first`);
  }
  await into.startChild(spec);
}

function supervisorOf({ supervisors }: CallTarget, id: unknown): SupervisorNode {
  const found = typeof id === 'string' ? supervisors.get(id) : undefined;
  if (found === undefined)
    throw new SystemError('UNKNOWN_SUPERVISOR', `no supervisor ${String(id)} is running`);
  return found;
}

function ownerOf({ supervisors }: CallTarget, child: unknown): SupervisorNode | undefined {
  for (const supervisor of supervisors.values()) {
    if (supervisor.children.some(({ id }) => id === child)) return supervisor;
  }
  return undefined;
}

function children(supervisor: SupervisorNode): Children {
  return supervisor.children.flatMap(({ spec, state, lastExit, memo }) =>
    spec.kind === 'actor'
      ? [
          {
            id: spec.id,
            state,
            params: spec.params,
            ...(lastExit === null ? {} : { lastExit }),
            ...(state === 'passive' ? { memo } : {}),
          },
        ]
      : [],
  );
}
