import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import promises from 'node:timers/promises';
import type { Random } from './random.js';
import type { Alarm, VirtualTime } from './virtual-time.js';

type Callback = (...args: readonly unknown[]) => void;

/** What setTimeout and setInterval answer. */
class Timer {
  alarm: Alarm = { cancelled: false };

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

interface Waiting {
  readonly signal?: AbortSignal;
}

/** Other ways to wait, which nobody has needed here yet. */
const REAL: readonly (readonly [owner: object, name: string])[] = [
  [globalThis, 'setImmediate'],
  [AbortSignal, 'timeout'],
  [promises, 'setInterval'],
  [promises.scheduler, 'wait'],
  [promises.scheduler, 'yield'],
  [timers, 'setTimeout'],
  [timers, 'setInterval'],
  [timers, 'setImmediate'],
];

/**
 * Gives this thread's code the clocks, timers and chance of the simulation, as the simulated process that is at work
 * sees them. Returns the function that gives the real ones back.
 */
export function useVirtualTime(time: VirtualTime, random: Random): () => void {
  const process_ = (): NonNullable<VirtualTime['thread']>['process'] | undefined => time.thread?.process;
  const monotonic = (): number => process_()?.monotonic(time.now) ?? time.now;
  const schedule = (timer: Timer, ms: number, action: () => void): void => {
    timer.alarm = time.after(process_()?.duration(ms) ?? ms, action);
  };
  const clear = (timer: unknown): void => {
    if (timer instanceof Timer) timer.alarm.cancelled = true;
  };
  const sleep = <T>(ms = 0, value?: T, { signal }: Waiting = {}): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(aborted());
      const timer = new Timer();
      const abort = (): void => {
        clear(timer);
        reject(aborted());
      };
      signal?.addEventListener('abort', abort);
      schedule(timer, ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve(value);
      });
    });
  const restore = [
    replace(globalThis, 'setTimeout', (action: Callback, ms = 0, ...args: readonly unknown[]) => {
      const timer = new Timer();
      schedule(timer, ms, () => {
        action(...args);
      });
      return timer;
    }),
    replace(globalThis, 'setInterval', (action: Callback, ms = 0, ...args: readonly unknown[]) => {
      const timer = new Timer();
      const again = (): void => {
        schedule(timer, ms, again);
        action(...args);
      };
      schedule(timer, ms, again);
      return timer;
    }),
    replace(globalThis, 'clearTimeout', clear),
    replace(globalThis, 'clearInterval', clear),
    replace(promises, 'setTimeout', sleep),
    replace(promises, 'setImmediate', (value?: unknown, waiting?: Waiting) => sleep(0, value, waiting)),
    ...REAL.map(([owner, name]) =>
      replace(owner, name, () => {
        throw new Error(
          `the simulation has no ${name} of this kind: it would last in real time, so for ever`,
        );
      }),
    ),
    replace(Date, 'now', () => process_()?.wallClock(time.now) ?? time.now),
    replace(performance, 'now', monotonic),
    replace(process, 'hrtime', () => {
      const now = monotonic();
      return [Math.floor(now / 1000), Math.floor((now % 1000) * 1e6)];
    }),
    replace(Math, 'random', () => random.next(1 << 30) / (1 << 30)),
  ];
  // What was imported by its name follows only when told.
  syncBuiltinESMExports();
  return () => {
    for (const each of restore) each();
    syncBuiltinESMExports();
  };
}

function aborted(): DOMException {
  return new DOMException('The operation was aborted', 'AbortError');
}

function replace(owner: object, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}
