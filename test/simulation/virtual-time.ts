import type { Random } from './random.js';

const DRIFT_PERCENT = 20;
const HOUR_MS = 3_600_000;

/** One process. Its clocks begin anywhere and run at a speed of their own. */
export class Process {
  dead = false;
  /** It does nothing until then. */
  pausedUntil = 0;
  /** It goes on, and does not reach the log until then. */
  cutOffUntil = 0;
  /** It reads the configs no further, and all else. */
  configsLateUntil = 0;
  readonly #rate: number;
  readonly #origin: number;
  readonly #wall: number;

  constructor(random: Random) {
    this.#rate = 1 + (random.next(2 * DRIFT_PERCENT + 1) - DRIFT_PERCENT) / 100;
    this.#origin = random.next(1_000_000);
    this.#wall = 1_700_000_000_000 + random.next(2 * HOUR_MS);
  }

  monotonic(now: number): number {
    return this.#origin + now * this.#rate;
  }

  wallClock(now: number): number {
    return Math.floor(this.#wall + now * this.#rate);
  }

  /** How long the world waits while this process counts so many milliseconds. */
  duration(ms: number): number {
    return ms / this.#rate;
  }
}

/** A thread of a process: what it has under way ends with it. */
export class Thread {
  readonly process: Process;
  readonly name: string;
  #ended = false;

  constructor(process: Process, name: string) {
    this.process = process;
    this.name = name;
  }

  get gone(): boolean {
    return this.#ended || this.process.dead;
  }

  end(): void {
    this.#ended = true;
  }
}

export interface Alarm {
  cancelled: boolean;
}

interface Event extends Alarm {
  at: number;
  readonly order: number;
  readonly action: () => void;
  /** null: the world's own, which no process can delay. */
  readonly thread: Thread | null;
}

/** What was scheduled happens in order, and time jumps from one event to the next. */
export class VirtualTime {
  now = 0;
  /** Whose code runs at this moment. */
  thread: Thread | null = null;
  events = 0;
  /** A binary heap. */
  readonly #queue: Event[] = [];
  #order = 0;

  after(ms: number, action: () => void, thread: Thread | null = this.thread): Alarm {
    this.#order += 1;
    const event = { at: this.now + ms, order: this.#order, action, thread, cancelled: false };
    this.#push(event);
    return event;
  }

  /** Runs everything due until then, each event with all that its promises set off; `each` is called after every one. */
  async runUntil(end: number, each: () => void): Promise<void> {
    for (let event = this.#due(end); event !== null; event = this.#due(end)) {
      this.now = event.at;
      this.thread = event.thread;
      this.events += 1;
      event.action();
      await settled();
      this.thread = null;
      each();
    }
    this.now = end;
  }

  #due(end: number): Event | null {
    for (let event = this.#queue[0]; event !== undefined && event.at <= end; event = this.#queue[0]) {
      this.#pop();
      const { thread, cancelled } = event;
      if (cancelled || thread?.gone === true) continue;
      if (thread === null || thread.process.pausedUntil <= event.at) return event;
      event.at = thread.process.pausedUntil;
      this.#push(event);
    }
    return null;
  }

  #push(event: Event): void {
    const queue = this.#queue;
    let at = queue.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = queue[parent];
      if (above === undefined || !before(event, above)) break;
      queue[at] = above;
      at = parent;
    }
    queue[at] = event;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = queue[child];
      const right = queue[child + 1];
      if (left === undefined) break;
      const least = right !== undefined && before(right, left) ? right : left;
      if (least === right) child += 1;
      if (!before(least, last)) break;
      queue[at] = least;
      at = child;
    }
    queue[at] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Resolves when no promise has anything left to do: ticks come after all of them. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
