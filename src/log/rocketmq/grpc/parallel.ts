/** Runs `body` for each item, at most `limit` at a time. Rejects with the first failure. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  body: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of rest) await body(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
