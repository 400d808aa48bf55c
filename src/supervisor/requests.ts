/** What actors ask of the supervisors: see SystemRef. */
import type { SystemMethod } from '../actors/kernel/control.js';
import type { ActorId, SystemRef } from '../actors/kernel/protocol.js';
import { checkActorSpec } from './check-spec.js';
import type { SupervisorNode } from './supervisor-node.js';
import { SystemError } from './system-error.js';

/** Those that run, by id. */
export type Supervisors = ReadonlyMap<ActorId, SupervisorNode>;

type Children = Awaited<ReturnType<SystemRef['children']>>;

export async function perform(
  supervisors: Supervisors,
  method: Exclude<SystemMethod, 'tree'>,
  [first, second]: readonly unknown[],
): Promise<unknown> {
  const id = String(first);
  switch (method) {
    case 'startChild':
      return startChild(supervisors, id, second);
    case 'stopChild':
      return ownerOf(supervisors, id)?.stopChild(id);
    case 'children':
      return childrenOf(find(supervisors, id));
  }
}

async function startChild(supervisors: Supervisors, id: ActorId, spec: unknown): Promise<void> {
  checkActorSpec(spec);
  const supervisor = find(supervisors, id);
  if (ownerOf(supervisors, spec.id) !== undefined || supervisors.has(spec.id)) {
    throw new SystemError('DUPLICATE_CHILD', `${spec.id} exists already`);
  }
  await supervisor.startChild(spec);
}

function childrenOf(supervisor: SupervisorNode): Children {
  return supervisor.children.map(({ spec, state, lastExit }) => ({
    id: spec.id,
    state,
    ...(lastExit === null ? {} : { lastExit }),
    params: spec.kind === 'actor' ? spec.params : null,
  }));
}

function ownerOf(supervisors: Supervisors, id: ActorId): SupervisorNode | undefined {
  return [...supervisors.values()].find((node) => node.children.some((child) => child.id === id));
}

function find(supervisors: Supervisors, id: ActorId): SupervisorNode {
  const node = supervisors.get(id);
  if (node !== undefined) return node;
  throw new SystemError('UNKNOWN_SUPERVISOR', `there is no running supervisor ${id}`);
}
