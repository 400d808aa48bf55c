import { MetricsWriter } from '#troupe/actors/kernel/metrics-writer.js';
import { TaskCounters } from '#troupe/actors/task/task-counters.js';

/** Memory of its own, as a thread's first has. */
export function ownMetrics(): MetricsWriter {
  return new MetricsWriter({ life: 1, chunks: [] }, () => undefined);
}

export function taskCounters(metrics = ownMetrics()): TaskCounters {
  return new TaskCounters(metrics, () => undefined);
}
