/** For connectors that join the signal of their task with another for each call: what that leaves behind. */

interface Startable {
  start(context: { signal: AbortSignal }, ...rest: never[]): unknown;
}

/** Notes the signal that each of the tasks is given. */
export function watchedSignals<Task extends Startable>(
  createTask: () => Task,
  signals: AbortSignal[],
): () => Task {
  return () => {
    const task = createTask();
    const start = task.start.bind(task);
    task.start = (context, ...rest) => {
      signals.push(context.signal);
      return start(context, ...rest);
    };
    return task;
  };
}

/** What `AbortSignal.any` keeps in its sources: on Node 20 for as long as these live. */
export function dependants(signal: AbortSignal | undefined): number {
  if (signal === undefined) throw new Error('no task was given a signal');
  const key = Object.getOwnPropertySymbols(signal).find(
    ({ description }) => description === 'kDependantSignals',
  );
  const found: unknown = key === undefined ? undefined : Reflect.get(signal, key);
  const size: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, 'size') : 0;
  return Number(size);
}
