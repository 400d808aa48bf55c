import { clusterMachine } from '#troupe/core/cluster/cluster-machine.js';
import { configMachine } from '#troupe/core/connectors/config-machine.js';
import type { Machine } from '#troupe/core/replica/machine.js';
import { offsetMachine, positionMachine } from '#troupe/core/progress/progress-machine.js';
import type { ProgressOf, ProgressResult, ProgressState } from '#troupe/core/progress/progress-rules.js';
import type { Machines } from './world.js';

/** Rules that can be taken out, to see that the simulation notices. */
export type Mutation = 'fence' | 'lease' | 'tombstone';

export const MACHINES: Machines = {
  cluster: clusterMachine,
  config: configMachine,
  positions: positionMachine,
  offsets: offsetMachine,
};

export function machinesWithout(mutation: Mutation | null): Machines {
  switch (mutation) {
    case 'fence':
      return { ...MACHINES, positions: unfenced(positionMachine), offsets: unfenced(offsetMachine) };
    case 'tombstone':
      return { ...MACHINES, config: forgetful(configMachine) };
    default:
      return MACHINES;
  }
}

/** Every epoch is as good as any other. */
function unfenced<T>(
  machine: Machine<ProgressState<T>, ProgressOf<T>, ProgressResult>,
): Machine<ProgressState<T>, ProgressOf<T>, ProgressResult> {
  return {
    ...machine,
    apply: (state, entry, meta) =>
      machine.apply(state, 'epoch' in entry ? { ...entry, epoch: 1 } : entry, meta),
  };
}

function forgetful(machine: typeof configMachine): typeof configMachine {
  return {
    ...machine,
    apply: (state, entry, meta) => {
      state.tombstones.clear();
      return machine.apply(state, entry, meta);
    },
  };
}
