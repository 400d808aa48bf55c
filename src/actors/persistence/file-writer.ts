import type { ConnectorEntry } from '../../core/model.js';
import {
  offsetsOf,
  positionsOf,
  type OffsetState,
  type PositionState,
} from '../../core/progress/progress-machine.js';
import type { CopyOrigin, Restorable } from '../../core/connectors/cold-start-state.js';
import {
  encodeConnectors,
  encodeOffsets,
  encodePositions,
  encodeTasks,
  type StateFile,
} from '../../core/connectors/state-files.js';
import type { ActorLogger } from '../kernel/protocol.js';
import { serialised } from '../kernel/serialised.js';
import type { StateFiles } from './files.js';
import type { PersistenceParams } from './params.js';

interface Following<S> {
  readonly state: Restorable<S>;
  readonly appliedOffset: number;
}

export interface Configs {
  readonly connectors: readonly ConnectorEntry[];
  readonly booted: ReadonlyMap<string, string>;
  readonly from: CopyOrigin;
}

const NO_CONFIGS: Configs = { connectors: [], booted: new Map(), from: { life: 0, offset: 0 } };

/** Writes the four files at their intervals and at the end, each only when what it shows has changed. */
export class FileWriter {
  readonly #context: { readonly params: PersistenceParams; readonly log: ActorLogger };
  readonly #files: StateFiles;
  readonly #positions: Following<PositionState>;
  readonly #offsets: Following<OffsetState>;
  readonly #configs: () => Configs | null;
  readonly #timers: NodeJS.Timeout[] = [];
  /** What each file was written from. */
  readonly #written = new Map<StateFile, unknown>();
  readonly #inTurn = serialised();
  readonly #write: (files: readonly StateFile[]) => Promise<void>;

  constructor(
    context: { readonly params: PersistenceParams; readonly log: ActorLogger },
    files: StateFiles,
    positions: Following<PositionState>,
    offsets: Following<OffsetState>,
    configs: () => Configs | null,
  ) {
    this.#context = context;
    this.#files = files;
    this.#positions = positions;
    this.#offsets = offsets;
    this.#configs = configs;
    this.#write = this.#inTurn((wanted: readonly StateFile[]) => this.#writeChanged(wanted));
  }

  start(): void {
    const { configIntervalMs, positionIntervalMs, offsetIntervalMs } = this.#context.params;
    this.#every(configIntervalMs, ['connectors', 'tasks']);
    this.#every(positionIntervalMs, ['positions']);
    this.#every(offsetIntervalMs, ['offsets']);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#write(['connectors', 'tasks', 'positions', 'offsets']).catch((error: unknown) => {
      this.#warn(error);
    });
  }

  #every(intervalMs: number, files: readonly StateFile[]): void {
    this.#timers.push(
      setInterval(() => {
        this.#write(files).catch((error: unknown) => {
          this.#warn(error);
        });
      }, intervalMs),
    );
  }

  #warn(error: unknown): void {
    this.#context.log.warn(
      { err: error },
      'a state file could not be written; it is a copy, and will be written at the next interval',
    );
  }

  async #writeChanged(wanted: readonly StateFile[]): Promise<void> {
    for (const file of wanted) {
      const from = this.#source(file);
      if (from === null || this.#written.get(file) === from) continue;
      await this.#files.write(file, this.#content(file));
      this.#written.set(file, from);
    }
  }

  /** Something that is another thing whenever the file's content may have changed; null: nothing to write yet. */
  #source(file: StateFile): unknown {
    if (file === 'connectors' || file === 'tasks') return this.#configs();
    const { state, appliedOffset } = file === 'positions' ? this.#positions : this.#offsets;
    // Nobody has written anything yet: the file may be what everything is to begin from.
    return state.open && this.#files.found(file) ? null : appliedOffset;
  }

  #content(file: StateFile): string {
    const { connectors, booted, from } = this.#configs() ?? NO_CONFIGS;
    switch (file) {
      case 'connectors':
        return encodeConnectors(from, connectors, booted);
      case 'tasks':
        return encodeTasks(from, connectors);
      case 'positions': {
        const { inner } = this.#positions.state;
        const items = [...inner.connectors.keys()].map((name) => [name, positionsOf(inner, name)] as const);
        return encodePositions(originOf(this.#positions), items);
      }
      case 'offsets': {
        const { inner } = this.#offsets.state;
        const items = [...inner.connectors.keys()].map((name) => [name, offsetsOf(inner, name)] as const);
        return encodeOffsets(originOf(this.#offsets), items);
      }
    }
  }
}

function originOf<S>({ state, appliedOffset }: Following<S>): CopyOrigin {
  return { life: state.life, offset: appliedOffset };
}
