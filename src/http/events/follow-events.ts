/** One client of `GET /events`: what both topics tell, as it comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeEvent } from '../../core/event.js';
import { RuntimeFailure, type EventSource, type Runtime } from '../runtime.js';
import type { EventStream } from './event-stream.js';

/** Between signs of life: less than what proxies wait. */
const HEARTBEAT_MS = 15_000;
const WAIT_MS = 10_000;
/** Until an actor that is down is asked again. */
const AGAIN_MS = 500;

/** Offsets of the next entries in the two topics. */
export interface Place {
  readonly config: number;
  readonly cluster: number;
}

export interface FollowOptions {
  readonly from: Place;
  readonly wants: (event: RuntimeEvent) => boolean;
  readonly heartbeatMs?: number;
}

/** `4711-12`; null: no id of ours. */
export function parsePlace(id: string): Place | null {
  const [, config, cluster] = /^(\d{1,15})-(\d{1,15})$/.exec(id) ?? [];
  if (config === undefined || cluster === undefined) return null;
  return { config: Number(config), cluster: Number(cluster) };
}

/** Until the stream ends. */
export async function followEvents(
  runtime: Pick<Runtime, 'events'>,
  { from, wants, heartbeatMs = HEARTBEAT_MS }: FollowOptions,
  stream: EventStream,
  signal: AbortSignal,
): Promise<void> {
  const place = { ...from };
  const id = (): string => `${place.config}-${place.cluster}`;
  stream.heartbeat(id());
  const heart = setInterval(() => {
    stream.heartbeat(id());
  }, heartbeatMs);
  const follow = async (source: EventSource): Promise<void> => {
    for (;;) {
      await stream.room();
      const page = await nextPage(runtime, source, place[source], stream, id, signal);
      if (page === null) return;
      // Before the events of which some are not there.
      if (page.missed)
        stream.event('gap', id(), {
          source,
          message:
            'events may have been missed here: read what matters to you again, such as GET /connectors?expand=status',
        });
      for (const [i, event] of page.events.entries()) {
        // An entry is behind with the last of its events.
        const more = page.events[i + 1]?.offset === event.offset;
        place[source] = more ? event.offset : event.offset + 1;
        if (wants(event)) stream.event(event.event, id(), shown(event));
      }
      place[source] = page.next;
    }
  };
  try {
    await Promise.all([follow('config'), follow('cluster')]);
  } finally {
    clearInterval(heart);
  }
}

/** Where it stands now. */
export async function presentPlace(runtime: Pick<Runtime, 'events'>, signal: AbortSignal): Promise<Place> {
  const request = { after: null, waitMs: 0 };
  const [config, cluster] = await Promise.all([
    runtime.events('config', request, signal),
    runtime.events('cluster', request, signal),
  ]);
  return { config: config.next, cluster: cluster.next };
}

/** null: the stream has ended. */
async function nextPage(
  runtime: Pick<Runtime, 'events'>,
  source: EventSource,
  after: number,
  stream: EventStream,
  id: () => string,
  signal: AbortSignal,
): ReturnType<typeof orNull> {
  for (let told = false; !signal.aborted;) {
    const page = await orNull(runtime.events(source, { after, waitMs: WAIT_MS }, signal));
    if (signal.aborted) return null;
    if (page !== null) return page;
    // Once: it is asked again and again.
    if (!told) stream.event('waiting', id(), { source, message: 'a part of the node is being restarted' });
    told = true;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

async function orNull(
  asked: ReturnType<Runtime['events']>,
): Promise<Awaited<ReturnType<Runtime['events']>> | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RuntimeFailure) return null;
    throw error;
  }
}

function shown({ at, connector, data }: RuntimeEvent): object {
  return { at, ...(connector !== null && { connector }), ...data };
}
