/**
 * A strict reader of both text formats, after their specifications: what they leave open, or parsers forgive, is an error. Metadata
 * stands before the samples, families stand together, no sample comes twice, and a histogram is one.
 */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Open {
  readonly name: string;
  help: string | null;
  type: string | null;
  readonly samples: ParsedSample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`, 's');
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|\+Inf|-Inf|NaN)$/;

export function parseExposition(text: string, format: 'prometheus' | 'openmetrics'): ParsedFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the last line is not # EOF');
  const families: Open[] = [];
  for (const line of lines) {
    try {
      parseLine(line, families, format);
    } catch (error) {
      throw new Error(`${line}: ${String(error)}`, { cause: error });
    }
  }
  const names = families.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new Error('a family stands in two places');
  return families.map((family) => checked(family, format));
}

function parseLine(line: string, families: Open[], format: string): void {
  if (line.startsWith('#')) {
    const [, kind, name, rest] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`, 's').exec(line) ?? [];
    if (kind === undefined || name === undefined || rest === undefined)
      throw new Error('neither HELP nor TYPE');
    parseMetadata(kind, name, rest, families, format);
    return;
  }
  const family = families.at(-1);
  const [, name, labels = '', number] = SAMPLE.exec(line) ?? [];
  if (name === undefined || number === undefined || !NUMBER.test(number)) throw new Error('not a sample');
  if (family?.type === undefined || family.type === null) throw new Error('a sample before its TYPE');
  family.samples.push({ name, labels: parseLabels(labels), value: numberOf(number) });
}

function parseMetadata(kind: string, name: string, rest: string, families: Open[], format: string): void {
  let family = families.at(-1);
  if (family?.name !== name) {
    family = { name, help: null, type: null, samples: [] };
    families.push(family);
  }
  if (family.samples.length > 0) throw new Error('metadata after a sample');
  if (kind === 'HELP') {
    if (family.help !== null) throw new Error('a second HELP');
    const escapes = format === 'openmetrics' ? /\\(?![\\n"])/ : /\\(?![\\n])/;
    if (escapes.test(rest.replaceAll('\\\\', ''))) throw new Error('an escape that is none');
    family.help = rest;
  } else {
    if (family.type !== null) throw new Error('a second TYPE');
    if (!['counter', 'gauge', 'histogram'].includes(rest)) throw new Error('another TYPE');
    family.type = rest;
  }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = '', value = '', end = ''] = LABEL.exec(text) ?? [];
    if (name === '') throw new Error('labels that are none');
    if (name in labels) throw new Error(`label ${name} twice`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    if (end === ',' && LABEL.lastIndex === text.length) throw new Error('a comma too many');
  }
  return labels;
}

function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

function checked({ name, help, type, samples }: Open, format: string): ParsedFamily {
  if (help === null || type === null) throw new Error(`${name} has no HELP or no TYPE`);
  const seen = new Set<string>();
  for (const sample of samples) {
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) throw new Error(`${key} twice`);
    seen.add(key);
    if (!endsOf(type, format).some((end) => sample.name === name + end))
      throw new Error(`${sample.name} is none of ${type} ${name}`);
    if (
      type !== 'gauge' &&
      !(sample.value >= 0 && (sample.name.endsWith('_sum') || Number.isFinite(sample.value)))
    )
      throw new Error(`${key} is ${sample.value}`);
  }
  if (type === 'histogram') checkHistograms(name, samples);
  return { name, help, type, samples };
}

function endsOf(type: string, format: string): readonly string[] {
  if (type === 'histogram') return ['_bucket', '_count', '_sum'];
  return type === 'counter' && format === 'openmetrics' ? ['_total'] : [''];
}

/** Those of one series stand together, in order. */
function checkHistograms(name: string, samples: readonly ParsedSample[]): void {
  let open: { key: string; le: number; count: number; next: 'bucket' | 'count' | 'sum' } | null = null;
  for (const { name: full, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(Object.entries(others).sort());
    open ??= { key, le: -Infinity, count: 0, next: 'bucket' };
    if (open.key !== key) throw new Error(`the series of ${name} are mixed`);
    if (full !== `${name}_${open.next}`) throw new Error(`${full} where _${open.next} should be`);
    if (open.next === 'bucket') {
      const bound = numberOf(String(le));
      if (le === undefined || !(bound > open.le) || !(value >= open.count))
        throw new Error(`${full} ${String(le)} goes back`);
      open = { key, le: bound, count: value, next: bound === Infinity ? 'count' : 'bucket' };
    } else if (open.next === 'count') {
      if (value !== open.count) throw new Error(`${full} is not its last bucket`);
      open = { ...open, next: 'sum' };
    } else open = null;
  }
  if (open !== null) throw new Error(`${name} ends in the middle`);
}

/** Its value; undefined: there is no such sample. Labels that are not given may be any. */
export function sampleOf(
  families: readonly ParsedFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return families
    .flatMap(({ samples }) => samples)
    .find(
      (sample) => sample.name === name && Object.entries(labels).every(([k, v]) => sample.labels[k] === v),
    )?.value;
}
