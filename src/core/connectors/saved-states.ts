/** The three states of which every node keeps a copy in its files, and how they begin from one. */
import { configMachine, type ConfigEntry, type ConfigResult, type ConfigState } from './config-machine.js';
import { object, oneOf, recordOf, text } from '../replica/json-shape.js';
import type { Machine } from '../replica/machine.js';
import type { TargetState } from '../model.js';
import {
  offsetMachine,
  positionMachine,
  type OffsetEntry,
  type OffsetState,
  type PositionEntry,
  type PositionState,
  type ProgressResult,
} from '../progress/progress-machine.js';
import type { ProgressState } from '../progress/progress-rules.js';
import { restorable, type Restorable, type RestoreEntry } from './cold-start-state.js';
import type { SavedBoot, SavedConfig, SavedConnector, SavedProgress } from './state-files.js';

export type RestorableConfigs = Restorable<ConfigState>;
export type RestorablePositions = Restorable<PositionState>;
export type RestorableOffsets = Restorable<OffsetState>;

const isName = (value: unknown): value is string => text(value) && value !== '' && !value.includes('/');
const isSavedBoot = object<SavedBoot>({ booted: isName, hash: text });
const isSavedConnector = object<SavedConnector>({
  name: isName,
  config: recordOf(text),
  targetState: oneOf<TargetState>('RUNNING', 'PAUSED', 'STOPPED'),
});

export const savedConfigs = restorable<ConfigState, ConfigEntry, ConfigResult, SavedConfig>(configMachine, {
  isItem: (value): value is SavedConfig => isSavedConnector(value) || isSavedBoot(value),
  restore(saved, { offset: version }) {
    const state = configMachine.initial();
    for (const item of saved) {
      if ('booted' in item) state.booted.set(item.booted, item.hash);
      else {
        const { name, config, targetState } = item;
        state.connectors.set(name, { name, config, targetState, version, restart: null, tasks: null });
      }
    }
    return state;
  },
});

export const savedPositions = savedProgress<PositionState, PositionEntry>(positionMachine);
export const savedOffsets = savedProgress<OffsetState, OffsetEntry>(offsetMachine);

/** By a reset of each connector: no epoch is older than what came from a file. */
function savedProgress<S extends ProgressState<unknown>, E extends { readonly type: string }>(
  machine: Machine<S, E, ProgressResult>,
): Machine<Restorable<S>, E | RestoreEntry, ProgressResult | null> {
  const resetOf = (connector: string, items: readonly unknown[]): E | null =>
    machine.decode({ type: 'RESET', connector, items });
  return restorable<S, E, ProgressResult, SavedProgress>(machine, {
    isItem: (value): value is SavedProgress =>
      isSavedProgress(value) && resetOf(value.connector, [value.item]) !== null,
    restore(saved, meta) {
      let state = machine.initial();
      for (const { connector, item } of saved) {
        const entry = resetOf(connector, [item]);
        if (entry !== null) ({ state } = machine.apply(state, entry, meta));
      }
      return state;
    },
  });
}

const isSavedProgress = object<SavedProgress>({
  connector: text,
  item: (_value): _value is unknown => true,
});
