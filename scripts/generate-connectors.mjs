/** Writes docs/connectors.md from the definitions of the plugins' keys; with --check only tells whether it is current. */
import { readFileSync, writeFileSync } from 'node:fs';
import { commonDefinition } from '../dist/plugins/config-values.js';
import { converterKeys } from '../dist/plugins/converter-config.js';
import { builtinPlugins } from '../dist/plugins/builtin.js';
import { loadPlugin } from '../dist/plugins/load.js';
import { configureTopicCreation } from '../dist/plugins/topic-creation.js';

const target = new URL('../docs/connectors.md', import.meta.url);

const INTRODUCTION = `# Configuration of connectors

<!-- Generated from the definitions in src by \`npm run docs\`. Edit these, not this page. -->

A connector's configuration is flat JSON: the keys that every connector has, those of its class, and those of its converters
and transforms under their prefixes. Whether one is right, before it is used, and what is wrong, says

\`\`\`sh
curl -s -X PUT localhost:8082/connector-plugins/FileSourceConnector/config/validate \\
  -H 'content-type: application/json' -d '{"connector.class": "FileSourceConnector", "topic": "access", "files": "logs/*.log"}'
\`\`\`

Classes are found by the names here, with or without \`Connector\` at the end, and by the full names of Kafka Connect's and RocketMQ
Connect's classes that do the same. How to write a connector: [writing-a-connector.md](writing-a-connector.md).
`;

const TYPES = {
  source: 'Sources',
  sink: 'Sinks',
  converter: 'Converters',
  transformation: 'Transforms',
  predicate: 'Predicates',
};

const NOTES = {
  source: 'Their keys beside those of every connector and every source.',
  sink: 'Their keys beside those of every connector and every sink.',
  converter:
    'Their keys stand under `key.converter.` or `value.converter.`, as in `value.converter.schemas.enable`.',
  transformation:
    'Named in `transforms=a,b`, each with `transforms.a.type`; their keys stand under `transforms.a.`. `transforms.a.predicate` and `transforms.a.negate` say to which records one is applied.',
  predicate:
    'Named in `predicates=p`, each with `predicates.p.type`; their keys stand under `predicates.p.`.',
};

function cell(text) {
  return String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function allowed({ type, allowed: values, min, max }) {
  const kind = { INT: 'whole number', LONG: 'whole number', DOUBLE: 'number', BOOLEAN: 'true or false' }[
    type
  ];
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  const text = kind ?? { LIST: 'texts, separated by commas', PASSWORD: 'text, never shown' }[type] ?? 'text';
  if (min !== undefined && max !== undefined) return `${text}, ${min} to ${max}`;
  return min === undefined ? text : `${text}, at least ${min}`;
}

function fallback({ defaultValue }) {
  if (defaultValue === undefined) return '**required**';
  return defaultValue === null || defaultValue === '' ? '' : `\`${defaultValue}\``;
}

function row(key) {
  const also =
    key.aliases === undefined ? '' : ` Also ${key.aliases.map((name) => `\`${name}\``).join(', ')}.`;
  return `| \`${key.name}\` | ${cell(fallback(key))} | ${cell(allowed(key))} | ${cell(key.documentation + also)} |`;
}

function table(keys) {
  if (keys.length === 0) return 'No keys of its own.\n';
  return `| Key | Default | Values | |\n|---|---|---|---|\n${keys.map(row).join('\n')}\n`;
}

async function plugins(type) {
  const sections = [];
  for (const entry of builtinPlugins().filter((each) => each.type === type)) {
    const { plugin } = await loadPlugin(entry);
    // Of a pair for key and value the keys are the same.
    if (entry.class.endsWith('$Key')) continue;
    const name = entry.class.endsWith('$Value')
      ? `${entry.class}, ${entry.class.replace(/Value$/, 'Key')}`
      : entry.class;
    const also = entry.aliases.map((alias) => `\`${alias}\``).join(', ');
    sections.push(`### ${name}\n\n${also === '' ? '' : `Also ${also}.\n\n`}${table(plugin.config)}`);
  }
  return `## ${TYPES[type]}\n\n${NOTES[type]}\n\n${sections.join('\n')}`;
}

async function page() {
  const every = commonDefinition(null);
  const beside = (kind) =>
    commonDefinition(kind).filter((key) => !every.some(({ name }) => name === key.name));
  const creation = configureTopicCreation({
    'topic.creation.groups': '<group>',
    'topic.creation.<group>.include': 'x',
  });
  return [
    INTRODUCTION,
    `## Every connector\n\n${table([...every, ...converterKeys()])}`,
    `## Every source\n\n${table([...beside('source'), ...creation.definition])}`,
    `## Every sink\n\n${table(beside('sink'))}`,
    ...(await Promise.all(Object.keys(TYPES).map(plugins))),
  ].join('\n');
}

const text = await page();
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('docs/connectors.md is not current: run `npm run docs`.');
  process.exitCode = 1;
}
