import type { ConnectorEntry } from '../../core/model.js';
import { offsetsOf, positionsOf, type OffsetState, type PositionState } from '../../core/progress-machine.js';
import {
  encodeConnectors,
  encodeOffsets,
  encodePositions,
  encodeTasks,
  STATE_FILES,
  type StateFile,
} from '../../core/state-files.js';
import type { ActorLogger } from '../kernel/protocol.js';
import { serialised } from '../kernel/serialised.js';
import type { StateFiles } from './files.js';
import type { PersistenceParams } from './params.js';

interface Following<S> {
  readonly state: S;
  readonly appliedOffset: number;
}

/** Writes the four files at their intervals and at the end, each only when what it shows has changed. */
export class FileWriter {
  readonly #context: { readonly params: PersistenceParams; readonly log: ActorLogger };
  readonly #files: StateFiles;
  readonly #positions: Following<PositionState>;
  readonly #offsets: Following<OffsetState>;
  readonly #connectors: () => readonly ConnectorEntry[] | null;
  readonly #timers: NodeJS.Timeout[] = [];
  /** What each file was written from. */
  readonly #written = new Map<StateFile, unknown>();
  readonly #inTurn = serialised();
  readonly #write: (files: readonly StateFile[]) => Promise<string[]>;

  constructor(
    context: { readonly params: PersistenceParams; readonly log: ActorLogger },
    files: StateFiles,
    positions: Following<PositionState>,
    offsets: Following<OffsetState>,
    connectors: () => readonly ConnectorEntry[] | null,
  ) {
    this.#context = context;
    this.#files = files;
    this.#positions = positions;
    this.#offsets = offsets;
    this.#connectors = connectors;
    this.#write = this.#inTurn((wanted: readonly StateFile[]) => this.#writeChanged(wanted));
  }

  start(): void {
    const { configIntervalMs, positionIntervalMs, offsetIntervalMs } = this.#context.params;
    this.#every(configIntervalMs, ['connectors', 'tasks']);
    this.#every(positionIntervalMs, ['positions']);
    this.#every(offsetIntervalMs, ['offsets']);
  }

  /** The names of the files that were written. */
  writeAll(): Promise<string[]> {
    return this.#write(['connectors', 'tasks', 'positions', 'offsets']);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.writeAll().catch((error: unknown) => {
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

  async #writeChanged(wanted: readonly StateFile[]): Promise<string[]> {
    const done: string[] = [];
    for (const file of wanted) {
      const from = this.#source(file);
      if (from === null || this.#written.get(file) === from) continue;
      await this.#files.write(file, this.#content(file));
      this.#written.set(file, from);
      done.push(STATE_FILES[file]);
    }
    return done;
  }

  /** Something that is another thing whenever the file's content may have changed; null: nothing to write yet. */
  #source(file: StateFile): unknown {
    if (file === 'positions') return this.#positions.appliedOffset;
    if (file === 'offsets') return this.#offsets.appliedOffset;
    return this.#connectors();
  }

  #content(file: StateFile): string {
    const connectors = this.#connectors() ?? [];
    switch (file) {
      case 'connectors':
        return encodeConnectors(connectors);
      case 'tasks':
        return encodeTasks(connectors);
      case 'positions': {
        const { state } = this.#positions;
        return encodePositions([...state.connectors.keys()].map((name) => [name, positionsOf(state, name)]));
      }
      case 'offsets': {
        const { state } = this.#offsets;
        return encodeOffsets([...state.connectors.keys()].map((name) => [name, offsetsOf(state, name)]));
      }
    }
  }
}
