/** Writes the tables of docs/metrics.md from the metrics' own; --check: fails where the page says something else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  ACTOR_METRICS,
  NODE_METRICS,
  SINK_METRICS,
  SOURCE_METRICS,
  TASK_METRICS,
  TASK_STATE_METRICS,
} from '../dist/core/metrics/metric-tables.js';

const PAGE = fileURLToPath(new URL('../docs/metrics.md', import.meta.url));

const ofTask = (table) =>
  Object.values(table).map((metric) => ({ ...metric, labels: ['connector', 'task', ...metric.labels] }));
const tables = {
  sources: ofTask(SOURCE_METRICS),
  sinks: ofTask(SINK_METRICS),
  tasks: [...ofTask(TASK_METRICS), ...Object.values(TASK_STATE_METRICS)],
  actors: Object.values(ACTOR_METRICS),
  node: Object.values(NODE_METRICS),
};

function rows(metrics) {
  const lines = metrics.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return ['| Metric | Type | Labels | |', '|---|---|---|---|', ...lines].join('\n');
}

const before = readFileSync(PAGE, 'utf8');
let after = before;
for (const [name, metrics] of Object.entries(tables)) {
  const place = new RegExp(`<!-- ${name} -->\n[^]*?<!-- end -->`);
  if (!place.test(after)) throw new Error(`docs/metrics.md has no place for ${name}`);
  after = after.replace(place, () => `<!-- ${name} -->\n\n${rows(metrics)}\n\n<!-- end -->`);
}
if (process.argv.includes('--check')) {
  if (after !== before) throw new Error('docs/metrics.md is not what the tables say: run npm run docs');
} else writeFileSync(PAGE, after);
