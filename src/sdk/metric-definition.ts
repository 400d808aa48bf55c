/** What a metric is, and whether it may be one. */
import { ConnectError } from './errors.js';
import { DEFAULT_BUCKETS } from './metrics.js';

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric that was checked. */
export interface MetricDefinition {
  readonly type: MetricType;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram; else empty. */
  readonly buckets: readonly number[];
}

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const MAX_NAME = 60;
const MAX_HELP = 300;
const MAX_LABELS = 8;
const MAX_BUCKETS = 50;
/** Endings that a metric of another type has, or that say what Prometheus itself adds. */
const RESERVED_ENDS = ['_count', '_sum', '_bucket', '_info', '_created'];
const RESERVED_LABELS = ['connector', 'task', 'le', 'quantile'];

/** Throws ConnectError METRIC_INVALID. The options are a plugin's: anything. */
export function checkMetric(type: MetricType, options: unknown): MetricDefinition {
  const given: Partial<Record<string, unknown>> = typeof options === 'object' ? { ...options } : {};
  const { name, help, labels = [], buckets = DEFAULT_BUCKETS } = given;
  if (typeof name !== 'string' || !NAME.test(name) || name.length > MAX_NAME)
    throw invalid(
      type,
      name,
      `its name must be small letters, digits and single _, begin with a letter, and have at most ${MAX_NAME}`,
    );
  checkEnd(type, name);
  if (typeof help !== 'string' || help.trim() === '' || help.length > MAX_HELP)
    throw invalid(type, name, `its help must be a sentence of at most ${MAX_HELP} characters`);
  if (!isLabels(labels))
    throw invalid(
      type,
      name,
      `its labels must be different names of at most ${MAX_NAME} characters, at most ${MAX_LABELS}, none of them ${RESERVED_LABELS.join(', ')}`,
    );
  if (type !== 'histogram') {
    if (given['buckets'] !== undefined) throw invalid(type, name, 'only a histogram has buckets');
    return { type, name, help, labels: [...labels], buckets: [] };
  }
  if (!isBuckets(buckets))
    throw invalid(
      type,
      name,
      `its buckets must be finite numbers, each greater than the one before, 1 to ${MAX_BUCKETS}`,
    );
  return { type, name, help, labels: [...labels], buckets: [...buckets] };
}

function checkEnd(type: MetricType, name: string): void {
  const isTotal = name.endsWith('_total');
  if (type === 'counter' && !isTotal) throw invalid(type, name, 'the name of a counter must end in _total');
  if (type !== 'counter' && isTotal)
    throw invalid(type, name, 'only the name of a counter may end in _total');
  const end = RESERVED_ENDS.find((each) => familyOf(name).endsWith(each));
  if (end !== undefined) throw invalid(type, name, `no name may end in ${end}`);
}

/** Throws ConnectError METRIC_CONFLICT where two metrics of one name cannot be the same. */
export function checkSame(known: MetricDefinition, metric: MetricDefinition): void {
  if (isSame(known, metric)) return;
  const { type, name, labels, buckets } = known;
  const shape = [
    `a ${type} ${name}`,
    ...(labels.length === 0 ? [] : [`labels ${labels.join(', ')}`]),
    ...(buckets.length === 0 ? [] : [`buckets ${buckets.join(', ')}`]),
  ].join(', ');
  throw new ConnectError(`${metric.type} ${metric.name}: there is ${shape} already`, {
    code: 'METRIC_CONFLICT',
  });
}

/** Whether what was counted for one goes on as the other. Help may change. */
export function isSame(a: MetricDefinition, b: MetricDefinition): boolean {
  return (
    a.type === b.type && a.name === b.name && isEqual(a.labels, b.labels) && isEqual(a.buckets, b.buckets)
  );
}

/** What OpenMetrics calls all lines of a metric together: a counter and a gauge may not share it either. */
export function familyOf(name: string): string {
  return name.replace(/_total$/, '');
}

function isLabels(labels: unknown): labels is readonly string[] {
  return (
    Array.isArray(labels) &&
    labels.length <= MAX_LABELS &&
    new Set(labels).size === labels.length &&
    labels.every((label) => typeof label === 'string' && NAME.test(label) && label.length <= MAX_NAME) &&
    !labels.some((label) => RESERVED_LABELS.includes(String(label)))
  );
}

function isBuckets(buckets: unknown): buckets is readonly number[] {
  return (
    Array.isArray(buckets) &&
    buckets.length > 0 &&
    buckets.length <= MAX_BUCKETS &&
    buckets.every(
      (bound, i) =>
        typeof bound === 'number' && Number.isFinite(bound) && (i === 0 || bound > Number(buckets[i - 1])),
    )
  );
}

function isEqual<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function invalid(type: MetricType, name: unknown, reason: string): ConnectError {
  const shown = typeof name === 'string' ? ` ${name.slice(0, MAX_NAME)}` : '';
  return new ConnectError(`${type}${shown}: ${reason}`, { code: 'METRIC_INVALID' });
}
