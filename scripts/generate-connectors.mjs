/** Writes docs/connectors.md from the definitions of the plugins' keys; with --check only tells whether it is current. */
import { readFileSync, writeFileSync } from 'node:fs';
import { commonDefinition } from '../dist/plugins/config-common.js';
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

const DIFFERENCES = `## Other than Kafka Connect

The built-in transforms, predicates and converters do what Kafka Connect 4.3.1's do; tables of cases from its own classes are
among the tests. Where they do otherwise, it is on purpose:

- What cannot work with any record is refused as configuration, before the first record: a replacement that names a group its
  regular expression does not have, a format of times, an empty field name, \`schema.content\` that is no schema.
- Regular expressions (\`regex\`, \`pattern\`, \`topics.regex\`, \`topic.creation.….include\`) have Java's syntax. Refused are the
  flags \`u\`, \`U\`, \`d\` and \`c\`, \`\\G\`, \`\\X\`, \`\\N{…}\`, \`\\b{g}\`, Unicode blocks (\`\\p{In…}\`), and references back to a group
  that may take no part in a match. \`\\b\` goes by ASCII, as in Java 19 and newer.
- TimestampRouter writes English, and weeks as in the United States, where Kafka Connect goes by the locale of its machine.
- MaskField lets a null pass, so that tombstones do; gives a decimal the scale of its schema; refuses a replacement that does not
  fit into the field's type, where Kafka Connect cuts it.
- ReplaceField takes blanks around the names in \`renames\` away, and answers to \`whitelist\` and \`blacklist\`.
- The default of a struct field stands in where the struct is missing; Kafka Connect's own fail at it in every transform but ExtractField.
- JsonConverter refuses a payload that is not of its schema's type, where Kafka Connect reads 0, false or null, or cuts a number;
  text after the value; numbers with leading zeros or beyond a double (\`1e400\`); and 24:00 as a time of day. It keeps all digits of
  integers without a schema, reads \`"NaN"\` and \`"Infinity"\` as the numbers for which they are written, gives decimals the scale of
  their schema, and writes a decimal without a schema only with \`decimal.format=NUMERIC\`.
- Without a schema there is one type of number: 5 and 5.0 are the same, and are written as 5. Names that are integers come first
  in an object, in their order.
- Of \`producer.override.…\`, \`consumer.override.…\` and \`admin.override.…\` those count that [have a counterpart](import.md#what-becomes-of-keys); the
  others are for Kafka's clients, and a warning. What of them, and of others, asks for what is not there is refused: a start at the end of a topic (\`consumer.override.auto.offset.reset=latest\`),
  another group, a transaction that is longer than a poll.
- What converters do otherwise: [compatibility.md](compatibility.md#converters).
`;

const TYPES = {
  source: 'Sources',
  sink: 'Sinks',
  converter: 'Converters',
  header_converter: 'Header converters',
  transformation: 'Transforms',
  predicate: 'Predicates',
};

const NOTES = {
  source: 'Their keys beside those of every connector and every source.',
  sink: 'Their keys beside those of every connector and every sink.',
  converter:
    'Their keys stand under `key.converter.` or `value.converter.`, as in `value.converter.schemas.enable`.',
  header_converter: 'For `header.converter` alone, which every other converter may be named in as well.',
  transformation:
    'Named in `transforms=a,b`, each with `transforms.a.type`; their keys stand under `transforms.a.`. `transforms.a.predicate` and `transforms.a.negate` say to which records one is applied.',
  predicate:
    'Named in `predicates=p`, each with `predicates.p.type`; their keys stand under `predicates.p.`.',
};

function cell(text) {
  return String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function allowed({ type, allowed: values, anyCase, min, max }) {
  const kind = { INT: 'whole number', LONG: 'whole number', DOUBLE: 'number', BOOLEAN: 'true or false' }[
    type
  ];
  if (values !== undefined)
    return (
      values.map((value) => `\`${value}\``).join(', ') +
      (anyCase === true ? ', in large or small letters' : '')
    );
  const text =
    kind ??
    {
      LIST: 'texts, separated by commas',
      PASSWORD: 'text, never shown',
      DURATION: 'duration: ms, or with a unit',
      SIZE: 'size: bytes, or with a unit',
      MAP: 'texts, a key each',
    }[type] ??
    'text';
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
    DIFFERENCES,
  ].join('\n');
}

const text = await page();
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('docs/connectors.md is not current: run `npm run docs`.');
  process.exitCode = 1;
}
