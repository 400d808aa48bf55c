/** Starts of one task's thread within one claim that are told apart; later ones share a number. */
const STARTS = 2 ** 22;

/**
 * The epoch that one thread of a task writes with. It grows with every claim, and within a claim with every start of
 * the thread: what a thread that is gone has left in the mailbox of the log comes after its successor's fence, and
 * changes nothing. `start` counts from 1, anew for each claim; a claim is good for one series of starts.
 */
export function fencingEpoch(epoch: number, start: number): number {
  return epoch * STARTS + Math.min(start, STARTS) - 1;
}
