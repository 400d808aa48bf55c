/** What `GET /events` tells, made from the entries of the cluster's topics: the same on every node. */
import type { JsonObject } from '../sdk/record.js';

export interface RuntimeEvent {
  /** Of the entry that it was made from. Several events may have one. */
  readonly offset: number;
  /** By the clock of whoever wrote that: milliseconds since 1970. */
  readonly at: number;
  readonly event: EventName;
  /** null: it is of no connector. */
  readonly connector: string | null;
  readonly data: JsonObject;
}

export type EventName =
  'created' | 'config' | 'target' | 'planned' | 'restart' | 'deleted' | 'state' | 'moved' | 'node';

/** A page of the events of one topic. */
export interface EventPage {
  readonly events: readonly RuntimeEvent[];
  /** What is asked for next: all before it is in this page, or in none. */
  readonly next: number;
  /** What was between the place that was asked for and these events is not known any more. */
  readonly missed: boolean;
}

export interface EventsRequest {
  /** Offset of the first entry that is asked for; null: what comes from now on. */
  readonly after: number | null;
  /** How long to wait for one, where there is none. */
  readonly waitMs: number;
}
