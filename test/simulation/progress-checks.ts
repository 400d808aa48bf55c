import { canonicalJson } from '#troupe/core/replica/canonical-json.js';
import { parseUnitKey, type Claim, type UnitKey } from '#troupe/core/model.js';
import { fencingEpoch } from '#troupe/core/cluster/fencing.js';
import type {
  OffsetEntry,
  OffsetState,
  PositionEntry,
  PositionState,
  ProgressResult,
  ProgressState,
} from '#troupe/core/progress/progress-machine.js';
import type { ProgressOf } from '#troupe/core/progress/progress-rules.js';
import type { Coverage } from './coverage.js';
import type { External } from './external.js';
import type { Fail } from './invariants.js';
import type { Check } from './reference.js';
import { RECORDS_TOPIC } from './world.js';

const decoder = new TextDecoder();

/** Invariants 2 and 3: fenced writes change nothing; progress covers only what is safe, and does not go back. */
export class ProgressRules {
  readonly position: Check<PositionState, PositionEntry, ProgressResult>;
  readonly offset: Check<OffsetState, OffsetEntry, ProgressResult>;
  readonly #coverage: Coverage;
  readonly #exactlyOnce: boolean;
  readonly #fail: Fail;
  readonly #sourceFences = new Map<UnitKey, number>();
  /** By partition: whether each of its records was first appended by who had the claim then. No gaps. */

  readonly #recorded = new Map<string, { readonly byOwner: boolean }[]>();

  constructor(external: External, coverage: Coverage, exactlyOnce: boolean, fail: Fail) {
    this.#coverage = coverage;
    this.#exactlyOnce = exactlyOnce;
    this.#fail = fail;
    this.position = this.#check(
      this.#sourceFences,
      ({ partition }) => canonicalJson(partition),
      ({ position }) => Number(position['at']),
      ({ partition, position }) => {
        const name = partition['partition'] as string;
        const recorded = this.#recorded.get(name)?.length ?? 0;
        if (Number(position['at']) <= recorded) return;
        fail(`invariant 3: position ${Number(position['at'])} of ${name}, but ${recorded} records are there`);
      },
    );
    this.offset = this.#check(
      new Map<UnitKey, number>(),
      ({ topic, queue }) => `${queue} ${topic}`,
      ({ offset }) => offset,
      ({ queue, offset }, connector) => {
        const delivered = external.deliveredTo(connector, RECORDS_TOPIC, queue);
        if (offset <= delivered) return;
        fail(`invariant 3: offset ${offset} of ${connector}, but only ${delivered} were written`);
      },
    );
  }

  /** A record stands in the topic. */
  recorded(value: Uint8Array, claims: ReadonlyMap<UnitKey, Claim>): void {
    const [partition = '', number, unit = '', epoch, start] = decoder.decode(value).split(' ');
    const at = Number(number);
    const records = this.#recorded.get(partition) ?? [];
    this.#recorded.set(partition, records);
    const byOwner = claims.get(unit)?.epoch === Number(epoch);
    const fenced = fencingEpoch(Number(epoch), Number(start)) < (this.#sourceFences.get(unit) ?? 0);
    const first = records[at - 1];
    if (fenced && this.#exactlyOnce) {
      this.#fail(`invariant 2: ${unit} at epoch ${epoch ?? ''} appended to a log that fences it`);
    } else if (at > records.length + 1) {
      this.#fail(`invariant 3: record ${at} of ${partition} follows ${records.length}: some were lost`);
    } else if (first === undefined) {
      records.push({ byOwner });
    } else if (!this.#exactlyOnce) {
      this.#coverage.saw('record appended twice');
    } else if (byOwner && first.byOwner) {
      this.#fail(`invariant 3: record ${at} of ${partition} stands twice`);
    } else {
      // By a task of an older plan that lost its claim. Its fence is raised when the same task of the new plan
      // starts: that another one reads its partition now, the log does not know.
      this.#coverage.saw('record of a task of an older plan appended late');
    }
  }

  committed(partition: string, at: number): void {
    const recorded = this.#recorded.get(partition)?.length ?? 0;
    if (at > recorded)
      this.#fail(`invariant 3: ${partition} was committed at ${at}, with ${recorded} records`);
  }

  #check<T>(
    fences: Map<UnitKey, number>,
    keyOf: (item: T) => string,
    valueOf: (item: T) => number,
    isSafe: (item: T, connector: string) => void,
  ): Check<ProgressState<T>, ProgressOf<T>, ProgressResult> {
    return (before, entry) => {
      if (entry.type !== 'PROGRESS' && entry.type !== 'FENCE') return () => undefined;
      const { unit, epoch } = entry;
      const fenced = epoch < (fences.get(unit) ?? 0);
      if (entry.type === 'FENCE') fences.set(unit, Math.max(epoch, fences.get(unit) ?? 0));
      const items = entry.type === 'PROGRESS' ? entry.items : [];
      const { connector } = parseUnitKey(unit);
      const values = (state: ProgressState<T>): (T | undefined)[] =>
        items.map((item) => state.connectors.get(connector)?.items.get(keyOf(item))?.item);
      const earlier = values(before);
      return (after, result) => {
        if (!result.ok) this.#coverage.saw('progress refused by a fence of its topic');
        for (const [i, item] of values(after).entries()) {
          const was = earlier[i];
          if (item === was || item === undefined) continue;
          const moved = `${unit} at epoch ${epoch} moved ${was === undefined ? 'nothing' : valueOf(was)} to ${valueOf(item)}`;
          if (fenced) this.#fail(`invariant 2: ${moved}, behind the fence ${fences.get(unit) ?? 0}`);
          if (was !== undefined && valueOf(item) < valueOf(was)) this.#fail(`invariant 3: ${moved}`);
          isSafe(item, connector);
        }
      };
    };
  }
}
