/**
 * A lane: functions wrapped by it run one at a time, in the order of their calls, whatever they await. For async
 * handlers that must not overlap. What waits is bounded by the windows of the actor's askers.
 */
export function serialised(): <A extends readonly unknown[], R>(
  action: (...args: A) => R | Promise<R>,
) => (...args: A) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (action) =>
    (...args) => {
      const run = last.then(() => action(...args));
      last = run.catch(() => undefined);
      return run;
    };
}
