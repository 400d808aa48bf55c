/** Every metric that Troupe itself has, as docs/metrics.md lists them. A plugin's own are `troupe_plugin_…`. */
import type { MetricDefinition } from '../../sdk/metric-definition.js';

type Table = Readonly<Record<string, MetricDefinition>>;

/** Seconds that calls into a sink take: from a file in memory to a system far away. */
const CALL_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

function counter(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { type: 'counter', name, help, labels, buckets: [] };
}

function gauge(name: string, help: string, labels: readonly string[] = []): MetricDefinition {
  return { type: 'gauge', name, help, labels, buckets: [] };
}

function histogram(name: string, help: string, buckets: readonly number[]): MetricDefinition {
  return { type: 'histogram', name, help, labels: [], buckets };
}

/** Before the names of a plugin's metrics. */
export const PLUGIN_PREFIX = 'troupe_plugin_';

/** Counted in the threads of tasks, with the labels `connector` and `task`. */
export const SOURCE_METRICS = {
  polled: counter('troupe_source_records_polled_total', 'Records that the source has returned from poll.'),
  appended: counter(
    'troupe_source_records_appended_total',
    'Records that are durable in the log. Those that a killed thread had just appended may be missing.',
  ),
  appendedBytes: counter(
    'troupe_source_appended_bytes_total',
    'Bytes of the batches that were appended, as the log keeps them.',
  ),
  filtered: counter('troupe_source_records_filtered_total', 'Records that a transform has dropped.'),
} satisfies Table;

export const SINK_METRICS = {
  read: counter(
    'troupe_sink_records_read_total',
    'Records of the log that are dealt with: put, dropped by a transform, or skipped.',
  ),
  put: counter('troupe_sink_records_put_total', 'Records that the sink has taken in put.'),
  filtered: counter('troupe_sink_records_filtered_total', 'Records that a transform has dropped.'),
  commits: counter(
    'troupe_sink_commits_total',
    'Commits of offsets, or of acknowledgements where the sink shares its records.',
  ),
  putSeconds: histogram(
    'troupe_sink_put_duration_seconds',
    'Time that one call of put took, of those that succeeded.',
    CALL_SECONDS,
  ),
  flushSeconds: histogram(
    'troupe_sink_flush_duration_seconds',
    'Time that one call of flush took, of those that succeeded.',
    CALL_SECONDS,
  ),
} satisfies Table;

export const TASK_METRICS = {
  skipped: counter(
    'troupe_task_records_skipped_total',
    'Bad records that errors.tolerance=all let the task skip.',
  ),
  throttled: counter(
    'troupe_task_throttled_seconds_total',
    'Seconds that the task had something to move and waited, as throttle.records.per.second or throttle.bytes.per.second ask.',
  ),
  ignored: counter(
    'troupe_task_metric_values_ignored_total',
    'Values that the plugin gave its metrics and that were not counted: no numbers, less than 0, or beyond 1,000 lines.',
  ),
} satisfies Table;

/** Known of tasks outside their threads. */
export const TASK_STATE_METRICS = {
  restarts: counter(
    'troupe_task_restarts_total',
    'Threads of the task that took the place of one that had failed or was ended.',
    ['connector', 'task'],
  ),
  tasks: gauge('troupe_tasks', 'Tasks of this node by state.', ['state']),
} satisfies Table;

export const ACTOR_METRICS = {
  up: gauge('troupe_actor_up', '1 while the actor runs, 0 while it starts, stops or is down.', ['actor']),
  restarts: counter(
    'troupe_actor_restarts_total',
    'Threads of an actor of the node itself that took the place of one that had failed or was ended.',
    ['actor'],
  ),
  heap: gauge('troupe_actor_heap_bytes', 'JavaScript heap that the thread uses, garbage included.', [
    'actor',
  ]),
  external: gauge(
    'troupe_actor_external_bytes',
    'Memory of the thread outside its heap: Buffers, large strings.',
    ['actor'],
  ),
  loopUse: gauge(
    'troupe_actor_event_loop_use_ratio',
    'Share of the last second, from 0 to 1, that the event loop of the thread was busy.',
    ['actor'],
  ),
  mailbox: gauge('troupe_actor_mailbox_messages', 'Messages that wait for the actor.', ['actor']),
} satisfies Table;

export const NODE_METRICS = {
  build: gauge('troupe_build_info', 'Always 1; the labels say what runs.', [
    'version',
    'commit',
    'node_version',
  ]),
  leftOut: gauge(
    'troupe_metrics_left_out',
    'Metrics of tasks that are not shown, since another connector has one of that name and of another type.',
  ),
  threads: gauge('troupe_threads', 'Threads of actors that live.'),
  cpu: counter('process_cpu_seconds_total', 'Processor time of the whole process, user and system.'),
  memory: gauge('process_resident_memory_bytes', 'Memory of the whole process that is not swapped out.'),
  started: gauge('process_start_time_seconds', 'When the process was started, in seconds since 1970.'),
} satisfies Table;

/** Those of a node that runs sources and sinks, in the order of docs/metrics.md. */
export const ALL_METRICS: readonly MetricDefinition[] = [
  ...[SOURCE_METRICS, SINK_METRICS, TASK_METRICS].flatMap((table) =>
    Object.values(table).map((metric) => ({ ...metric, labels: ['connector', 'task'] })),
  ),
  ...[TASK_STATE_METRICS, ACTOR_METRICS, NODE_METRICS].flatMap((table) => Object.values(table)),
];
