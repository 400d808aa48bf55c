/** Metrics as text: Prometheus's format 0.0.4, and OpenMetrics 1.0. */
import { familyOf, type MetricDefinition } from '../../sdk/metric-definition.js';

export type MetricsFormat = 'prometheus' | 'openmetrics';

/** A sample's name and labels, ready to be followed by its number: made once, since they are most of the text. */
export type SampleHead = string;

/** All samples of one name, which stand together. */
interface Family {
  readonly metric: MetricDefinition;
  readonly lines: string[];
}

/** Collects samples in any order. */
export class Exposition {
  readonly #format: MetricsFormat;
  readonly #families = new Map<string, Family>();

  constructor(format: MetricsFormat) {
    this.#format = format;
  }

  add(metric: MetricDefinition, heads: readonly SampleHead[], cells: readonly number[]): void {
    const family = this.family(metric);
    if (family === null) return;
    const { lines } = family;
    if (metric.type !== 'histogram') {
      for (const [i, head] of heads.entries()) lines.push(head + shown(cells[i]));
      return;
    }
    let count = 0;
    const buckets = metric.buckets.length + 1;
    for (let i = 0; i < buckets; i += 1) {
      count += cells[i] ?? 0;
      lines.push((heads[i] ?? '') + shown(count));
    }
    lines.push((heads[buckets] ?? '') + shown(count), (heads[buckets + 1] ?? '') + shown(cells[buckets]));
  }

  /** There is such a metric, though it may have no sample now; null: others of its name are of another type. */
  family(metric: MetricDefinition): Family | null {
    const name = familyOf(metric.name);
    const known = this.#families.get(name);
    if (known !== undefined) return known.metric.type === metric.type ? known : null;
    const family = { metric, lines: [] };
    this.#families.set(name, family);
    return family;
  }

  /** Families in order of their names; each line ends in a line feed. */
  text(): string {
    const parts: string[] = [];
    for (const [name, { metric, lines }] of [...this.#families].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const title = this.#format === 'openmetrics' ? name : metric.name;
      parts.push(`# HELP ${title} ${this.#help(metric.help)}`, `# TYPE ${title} ${metric.type}`);
      for (const line of lines) parts.push(line);
    }
    if (this.#format === 'openmetrics') parts.push('# EOF');
    return `${parts.join('\n')}\n`;
  }

  #help(text: string): string {
    const help = text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
    return this.#format === 'openmetrics' ? help.replaceAll('"', String.raw`\"`) : help;
  }
}

/** Those of one combination of label values, as `Exposition.add` takes them. `values`: in the order of `labels`. */
export function sampleHeads(
  metric: MetricDefinition,
  labels: readonly string[],
  values: readonly string[],
): readonly SampleHead[] {
  const own = labels.map((label, i) => `${label}="${escaped(values[i] ?? '')}"`);
  const head = (end: string, ...more: readonly string[]): string => {
    const all = [...own, ...more];
    return `${metric.name}${end}${all.length === 0 ? '' : `{${all.join(',')}}`} `;
  };
  if (metric.type !== 'histogram') return [head('')];
  const bounds = [...metric.buckets.map(bound), '+Inf'];
  return [...bounds.map((le) => head('_bucket', `le="${le}"`)), head('_count'), head('_sum')];
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value
        .replaceAll('\\', String.raw`\\`)
        .replaceAll('"', String.raw`\"`)
        .replaceAll('\n', String.raw`\n`)
    : value;
}

function shown(value = 0): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** As OpenMetrics writes a bound, so that a series has one name whoever asks: 1.0, 0.005, 1e-05, 1e+06. */
function bound(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4))
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
