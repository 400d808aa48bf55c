import {
  SourceTransactions,
  type SourceTransactionsOptions,
} from '#troupe/actors/task/source/source-transactions.js';

/** Before a writer, with what a test does not care for. */
export function transactionsOf(
  writer: SourceTransactionsOptions['writer'],
  more: Partial<SourceTransactionsOptions> = {},
): SourceTransactions {
  const ignore = (): void => undefined;
  return new SourceTransactions({
    writer,
    maxBytes: 100_000,
    parts: [],
    log: { info: ignore, warn: ignore },
    note: ignore,
    now: Date.now,
    ...more,
  });
}
