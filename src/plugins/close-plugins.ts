import { setTimeout as sleep } from 'node:timers/promises';

export interface Closable {
  close?(): Promise<void> | void;
}

/** All of them at once: nothing depends on them any more. Told are what they throw, and that they do not end in time. */
export async function closePlugins(
  plugins: readonly Closable[],
  withinMs: number,
  onError: (cause: string) => void,
): Promise<void> {
  const over = new AbortController();
  const late = sleep(withinMs, true, { signal: over.signal }).catch(() => false);
  const close = async (plugin: Closable): Promise<void> => {
    try {
      await plugin.close?.();
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
  };
  const all = Promise.all(plugins.map(close));
  const isLate = await Promise.race([late, all.then(() => false)]);
  over.abort();
  if (isLate) onError(`close() did not return within ${withinMs} ms`);
}
