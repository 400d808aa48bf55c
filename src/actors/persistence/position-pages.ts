import type { SourcePosition } from '../../core/model.js';
import { ConnectError } from '../../sdk/errors.js';
import { partitionMatches } from '../../sdk/partitions.js';
import type { PersistenceProtocol } from './protocol.js';

type Positions = PersistenceProtocol['ask']['positions'];

/** A connector may have 100,000 positions: more than one message should carry. */
const PAGE = 2000;
/** Whoever reads on is quick: what was begun longest ago was given up. */
const MAX_OPEN = 8;

/** The positions of connectors, as they were when somebody began to read them, a page at a time. */
export class PositionPages {
  readonly #all: (connector: string) => readonly SourcePosition[];
  /** What is left to read. The positions are the state's own: only the lists are kept. */
  readonly #open = new Map<number, readonly SourcePosition[]>();
  #last = 0;

  constructor(all: (connector: string) => readonly SourcePosition[]) {
    this.#all = all;
  }

  begin(connector: string, match: SourcePosition['partition'] | null): Positions['reply'] {
    const all = this.#all(connector);
    return this.#page(
      match === null ? all : all.filter(({ partition }) => partitionMatches(partition, match)),
    );
  }

  /** ConnectError POSITIONS_GONE: begin again. */
  next(cursor: number): Positions['reply'] {
    const left = this.#open.get(cursor);
    this.#open.delete(cursor);
    if (left !== undefined) return this.#page(left);
    throw new ConnectError('these positions were not read on for a while', { code: 'POSITIONS_GONE' });
  }

  #page(left: readonly SourcePosition[]): Positions['reply'] {
    const positions = left.slice(0, PAGE);
    if (left.length <= PAGE) return { positions, cursor: null };
    this.#last += 1;
    this.#open.set(this.#last, left.slice(PAGE));
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    return { positions, cursor: this.#last };
  }
}
