/** Calls a converter as a task does: again, as soon as what it waits for is there. */
export async function whenReady<T>(call: () => T): Promise<T> {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const ready: unknown = error instanceof Error ? Reflect.get(error, 'ready') : null;
      if (!(ready instanceof Promise)) throw error;
      await ready;
    }
  }
}
