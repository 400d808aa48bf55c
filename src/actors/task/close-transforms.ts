import type { LoadedTask } from './load-task.js';
import type { StartedTask, TaskActorContext } from './parts.js';

/** The supervisor waits for the end of the whole thread. */
const MAX_CLOSE_MS = 2000;

/** Starts a task whose transforms and predicates are closed when it has ended, however it does. What they throw is logged. */
export async function thenClosed(
  { log, params }: Pick<TaskActorContext, 'log' | 'params'>,
  close: LoadedTask['close'],
  start: () => Promise<StartedTask>,
): Promise<StartedTask> {
  const closeAll = (): Promise<void> =>
    close(
      (cause) => {
        log.warn({ cause }, 'a transform or predicate did not end in order');
      },
      Math.min(MAX_CLOSE_MS, params.settings.stopTimeoutMs / 2),
    );
  try {
    const { done } = await start();
    return { done: done.finally(closeAll) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
