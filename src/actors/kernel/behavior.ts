import type { Behavior, Protocol } from './protocol.js';

/** Marks a module's default export as an actor; at run time it is the argument itself. */
export function behavior<P extends Protocol, Peers extends { [K in keyof Peers]: Protocol }, Params>(
  definition: Behavior<P, Peers, Params>,
): Behavior<P, Peers, Params> {
  return definition;
}
