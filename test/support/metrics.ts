import { MetricsReader } from '#troupe/actors/kernel/metrics-reader.js';
import { MetricsWriter } from '#troupe/actors/kernel/metrics-writer.js';
import { TaskCounters } from '#troupe/actors/task/task-counters.js';

/** Memory of its own, as a thread's first has. */
export function ownMetrics(): MetricsWriter {
  return new MetricsWriter({ life: 1, chunks: [] }, () => undefined);
}

export function taskCounters(metrics = ownMetrics()): TaskCounters {
  return new TaskCounters(metrics, () => undefined);
}

/** A task's counters, and what they have come to by name; of histograms the counts of their buckets added up. */
export function readCounters(): {
  readonly counters: TaskCounters;
  readonly counts: () => Record<string, number>;
} {
  const chunks: SharedArrayBuffer[] = [];
  const counters = taskCounters(new MetricsWriter({ life: 1, chunks }, (memory) => chunks.push(memory)));
  const counts = (): Record<string, number> => {
    const reader = new MetricsReader();
    reader.add(chunks);
    return Object.fromEntries(
      reader.metrics().map(({ metric, series }) => {
        const [cells = []] = series.map((each) => each.read());
        const counted = metric.type === 'histogram' ? cells.slice(0, -1) : cells;
        return [metric.name.replace('troupe_', ''), counted.reduce((sum, count) => sum + count, 0)];
      }),
    );
  };
  return { counters, counts };
}
