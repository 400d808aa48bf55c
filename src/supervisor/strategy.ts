import type { ChildState, Strategy } from '../actors/kernel/protocol.js';

/** What the decision needs to know of a child. Children stand in the order of their start. */
export interface Slot {
  readonly state: ChildState;
  /** It should be running; false: it has been stopped, has ended for good or has failed. */
  readonly wanted: boolean;
  /** It depends on one that went down, and has to go down, too, before it is started again. */
  readonly condemned: boolean;
  /** Its backoff is over. */
  readonly due: boolean;
  /** It has run once in this run of its supervisor. */
  readonly hasRun: boolean;
  /** Added at run time: nobody's order. */
  readonly dynamic: boolean;
}

export interface Actions {
  readonly start: readonly number[];
  readonly stop: readonly number[];
}

/**
 * What a supervisor does now, by index: pure, and asked again after everything that happens. Order of start: a child
 * starts when all before it run (one_for_one: have run once). Order of stop: the reverse, one at a time.
 * Dynamic children start and stop at any time, but stop before the static ones.
 */
export function nextActions(strategy: Strategy, slots: readonly Slot[]): Actions {
  return { start: toStart(strategy, slots), stop: toStop(slots) };
}

function toStop(slots: readonly Slot[]): number[] {
  const stop: number[] = [];
  let laterGoingDown = false;
  for (const [index, slot] of [...slots.entries()].reverse()) {
    if (!isAlive(slot) || !mustGo(slot)) continue;
    if (slot.state !== 'stopping' && (slot.dynamic || !laterGoingDown)) stop.push(index);
    laterGoingDown = true;
  }
  return stop;
}

function toStart(strategy: Strategy, slots: readonly Slot[]): number[] {
  const start: number[] = [];
  let earlierReady = true;
  for (const [index, slot] of slots.entries()) {
    const waits =
      slot.wanted && !slot.condemned && (slot.state === 'stopped' || (slot.state === 'backoff' && slot.due));
    const laterGone = strategy === 'one_for_one' || slots.slice(index + 1).every((later) => !isAlive(later));
    if (waits && (slot.dynamic || (earlierReady && laterGone))) start.push(index);
    if (!slot.dynamic) earlierReady &&= isPassed(strategy, slot);
  }
  return start;
}

function isPassed(strategy: Strategy, slot: Slot): boolean {
  if (strategy === 'one_for_one' && slot.hasRun) return true;
  if (slot.wanted) return slot.state === 'running' && !slot.condemned;
  return !isAlive(slot);
}

export function isAlive(slot: Pick<Slot, 'state'>): boolean {
  return slot.state === 'starting' || slot.state === 'running' || slot.state === 'stopping';
}

function mustGo(slot: Slot): boolean {
  return !slot.wanted || slot.condemned;
}
