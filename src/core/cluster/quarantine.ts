/**
 * Which tasks, and plans of connectors, may have brought nodes down, from who had what when a node died. Nobody can ask a
 * dead node, so: after some deaths those that were there start apart from each other, half of the likeliest at a time, until one is left.
 */
import { count, flag, listOf, number, object, optional, text } from '../replica/json-shape.js';
import type { DigestedMap } from '../replica/digested-map.js';
import type { Claim, UnitKey } from '../model.js';

export interface Death {
  /** By the clock of whoever told of it. */
  readonly at: number;
  /** Of the node: one that comes back as the same process was not dead. */
  readonly process: string;
  /** Since the task was claimed. */
  readonly livedMs: number;
  /** Nothing else that ran there had been at a death before. */
  readonly alone: boolean;
}

/** A task, or a connector to be planned, that was claimed by nodes that died. */
export interface Suspect {
  readonly unit: UnitKey;
  /** What it was claimed for: a newer one is begun without suspicion. */
  readonly generation: number;
  /** The newest last. */
  readonly deaths: readonly Death[];
  readonly quarantined?: boolean;
}

/** As the configs have it. */
interface WantedUnit {
  readonly generation: number;
  readonly active: boolean;
  readonly outdated?: true;
}

/** The same on all nodes. `deaths` 0: no task is held back. */
export interface QuarantineRules {
  /** At so many deaths, and at the last one alone, a task is quarantined. */
  readonly deaths: number;
  /** Within this time. */
  readonly periodMs: number;
}

export interface Verdicts {
  /** Not to be started before those that are tried first. */
  readonly waiting: ReadonlySet<UnitKey>;
  /** To be quarantined: at how many deaths each was. */
  readonly convicted: ReadonlyMap<UnitKey, number>;
}

/** Only the newest deaths are remembered, of the tasks that were last at one. The same on every node, or they diverge. */
const MAX_DEATHS = 10;
const MAX_SUSPECTS = 10_000;
const FORGET_MS = 3_600_000;
/** Before it is quarantined, a task is tried apart from others this many deaths earlier. */
const APART_BEFORE = 2;
const MIN_PROBATION_MS = 10_000;
const MAX_PROBATION_MS = 60_000;

export const isSuspect = object<Suspect>({
  unit: text,
  generation: count,
  deaths: listOf(object<Death>({ at: number, process: text, livedMs: number, alone: flag })),
  quarantined: optional(flag),
});

type Suspects = DigestedMap<UnitKey, Suspect>;

/** A node died, and may have run these at the time. */
export function blame(
  suspects: Suspects,
  claims: Iterable<Claim>,
  { at, process }: Pick<Death, 'at' | 'process'>,
): void {
  const there = [...claims].map((claim) => ({
    claim,
    earlier: earlierDeaths(suspects.get(claim.unit), claim, at),
  }));
  const known = there.filter(({ earlier }) => earlier.length > 0);
  for (const { claim, earlier } of there) {
    const { unit, generation } = claim;
    const livedMs = Math.max(0, at - (claim.at ?? at));
    const alone = known.every((other) => other.claim === claim);
    const death = { at, process, livedMs, alone };
    // Set anew, so that those that were last at a death come last.
    suspects.delete(unit);
    suspects.set(unit, { unit, generation, deaths: [...earlier, death].slice(-MAX_DEATHS) });
  }
  for (const unit of suspects.keys()) {
    if (suspects.size <= MAX_SUSPECTS) break;
    suspects.delete(unit);
  }
}

function earlierDeaths(suspect: Suspect | undefined, claim: Claim, at: number): readonly Death[] {
  if (suspect === undefined || suspect.generation < claim.generation) return [];
  return suspect.deaths.filter((death) => at - death.at <= FORGET_MS);
}

/** The death of this process is explained: whoever else was there has nothing to do with it. */
export function forgive(suspects: Suspects, process: string): void {
  for (const suspect of [...suspects.values()]) {
    const deaths = suspect.deaths.filter((death) => death.process !== process);
    if (deaths.length === suspect.deaths.length || suspect.quarantined === true) continue;
    if (deaths.length === 0) suspects.delete(suspect.unit);
    else suspects.set(suspect.unit, { ...suspect, deaths });
  }
}

/** Whether it is, for what is wanted now: a restart and a new config take it out. */
export function isQuarantined(suspect: Suspect | undefined, generation: number): boolean {
  return suspect?.quarantined === true && generation <= suspect.generation;
}

/** At how many deaths it was within the period, up to the last one. */
function recentDeaths({ deaths }: Suspect, { periodMs }: QuarantineRules): number {
  const last = deaths.at(-1)?.at ?? 0;
  return deaths.filter(({ at }) => last - at <= periodMs).length;
}

export function judge(
  suspects: ReadonlyMap<UnitKey, Suspect>,
  wanted: ReadonlyMap<UnitKey, WantedUnit>,
  rules: QuarantineRules,
): Verdicts {
  const convicted = new Map<UnitKey, number>();
  const tried: { readonly unit: UnitKey; readonly deaths: number }[] = [];
  const apartFrom = Math.max(1, rules.deaths - APART_BEFORE);
  for (const suspect of rules.deaths === 0 ? [] : suspects.values()) {
    const { unit, generation, quarantined } = suspect;
    const want = wanted.get(unit);
    if (want?.active !== true || want.outdated === true || want.generation > generation) continue;
    if (quarantined === true) continue;
    const deaths = recentDeaths(suspect, rules);
    if (deaths >= rules.deaths && suspect.deaths.at(-1)?.alone === true) convicted.set(unit, deaths);
    else if (deaths >= apartFrom) tried.push({ unit, deaths });
  }
  tried.sort((a, b) => b.deaths - a.deaths || (a.unit < b.unit ? -1 : 1));
  const likeliest = tried.filter(({ deaths }) => deaths === tried[0]?.deaths).length;
  const waiting = tried.slice(Math.ceil(likeliest / 2)).map(({ unit }) => unit);
  return { waiting: new Set(waiting), convicted };
}

/** How long its node must live with it before it counts as innocent; null: it is not suspected of anything. */
export function probationMs(suspect: Suspect | undefined, rules: QuarantineRules): number | null {
  if (suspect === undefined || suspect.quarantined === true || rules.deaths === 0) return null;
  if (recentDeaths(suspect, rules) < Math.max(1, rules.deaths - APART_BEFORE)) return null;
  const shortest = suspect.deaths.reduce((min, { livedMs }) => Math.min(min, livedMs), Infinity);
  return Math.min(MAX_PROBATION_MS, Math.max(MIN_PROBATION_MS, 2 * shortest));
}
