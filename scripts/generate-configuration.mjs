/** Writes docs/configuration.md from the table of parameters; with --check only tells whether it is current. */
import { readFileSync, writeFileSync } from 'node:fs';
import { environmentName } from '../dist/core/parameters/parameters-definition.js';
import { PARAMETERS } from '../dist/core/parameters/parameters-table.js';
import { allowedText } from '../dist/core/parameters/parameters-value.js';

const target = new URL('../docs/configuration.md', import.meta.url);

const INTRODUCTION = `# Configuration of a node

<!-- Generated from src/core/parameters/parameters-table.ts by \`npm run docs\`. Edit the table, not this page. -->

A parameter is taken from the command line, else from the environment, else from the file, else it has its default:

\`\`\`sh
node dist/supervisor.js -c conf/connect.conf            # the file: one key=value a line
TROUPE_HTTP_PORT=8083 npm start                          # the environment
node dist/supervisor.js --set httpPort=8084              # the command line; --set may be repeated
\`\`\`

The file has Java's properties format: \`#\` and \`!\` begin comments, a backslash at the end continues a line, \`\\\\\` is a
backslash. Reading is strict: an unknown key, a key that stands twice and a value that is not allowed are errors. All
errors are printed at once, each with its place and what is allowed, and the node does not start. Numbers are plain digits
in the unit given here; relative paths start at the working folder; an empty value means "not set" where there is no default.

These settings are the node's. What a connector can be told: [connectors.md](connectors.md).

A variable \`TROUPE_…\` that names no parameter is an error too. The names given under *also* work in the file and with \`--set\`.
`;

const GROUP_NOTES = {
  Cluster: 'The three times keep their order: `heartbeat.interval.ms` < `lease.ms` < `eviction.timeout.ms`.',
  Topics: 'For topics that the runtime creates. An existing topic keeps its settings.',
  RocketMQ:
    'With `namesrvAddr` everything durable goes to RocketMQ instead of the embedded log; [rocketmq.md](rocketmq.md) ' +
    'says how.',
};

const ERRORS = `## Errors

| Code | Meaning |
|---|---|
| \`UNKNOWN_PARAMETER\` | No such key; the nearest one is named. |
| \`BAD_PARAMETER\` | The value is not allowed. |
| \`CONFLICTING_PARAMETERS\` | Values that are allowed alone contradict each other. |
| \`BAD_CONFIG_FILE\` | A line of the file cannot be understood, or a key stands twice. |
| \`CONFIG_FILE_UNREADABLE\` | The file of \`--config\` cannot be read. |
| \`BAD_COMMAND_LINE\` | An option does not exist or lacks its value. |
`;

function describe(key, definition) {
  const facts = [
    `default ${defaultText(definition)}`,
    allowedText(definition),
    `\`${environmentName(key)}\``,
    ...(definition.alias === undefined ? [] : [`also \`${definition.alias}\``]),
  ];
  return `### \`${key}\`\n\n${definition.doc}\n\n<small>${facts.join(' · ')}</small>\n`;
}

function defaultText({ default: value, unit }) {
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'not set';
  return `\`${value}\`${unit === undefined || unit === null ? '' : ` ${unit}${readable(value, unit)}`}`;
}

const SCALES = {
  ms: [
    [86_400_000, 'days'],
    [3_600_000, 'hours'],
    [60_000, 'minutes'],
  ],
  bytes: [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [1024, 'KiB'],
  ],
};

/** ` (7 days)` where that is easier to read than the number. */
function readable(value, unit) {
  const scale = SCALES[unit]?.find(([size]) => value >= size && value % size === 0);
  return scale === undefined
    ? ''
    : ` (${value / scale[0]} ${value === scale[0] ? scale[1].replace(/s$/, '') : scale[1]})`;
}

function page() {
  const groups = new Set([...PARAMETERS.values()].map(({ group }) => group));
  const sections = [...groups].map((group) => {
    const note = GROUP_NOTES[group] === undefined ? '' : `${GROUP_NOTES[group]}\n\n`;
    const parameters = [...PARAMETERS].filter(([, definition]) => definition.group === group);
    return `## ${group}\n\n${note}${parameters.map(([key, definition]) => describe(key, definition)).join('\n')}`;
  });
  return [INTRODUCTION, ...sections, ERRORS].join('\n');
}

const text = page();
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('docs/configuration.md is not current: run `npm run docs`.');
  process.exitCode = 1;
}
