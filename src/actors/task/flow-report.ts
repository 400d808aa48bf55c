import type { ActorLogger } from '../kernel/protocol.js';

/** Says what flows, briefly: soon after the first records, then at most every half minute. */
export function flowReport(
  log: ActorLogger,
  verb: 'appended' | 'delivered',
): { readonly count: (records: number) => void; readonly close: () => void } {
  let total = 0;
  let said = 0;
  let timer: NodeJS.Timeout | null = null;
  const say = (): void => {
    timer = null;
    if (total === said) return;
    log.info({ records: total - said, total }, `records ${verb}`);
    said = total;
    timer = setTimeout(say, 30_000);
    timer.unref();
  };
  return {
    count: (records) => {
      total += records;
      timer ??= setTimeout(say, 500).unref();
    },
    close: () => {
      if (timer !== null) clearTimeout(timer);
      if (total !== said) log.info({ records: total - said, total }, `records ${verb}`);
    },
  };
}
