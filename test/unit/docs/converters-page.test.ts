import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { builtinPlugins } from '#troupe/plugins/builtin.js';
import { validateConnector } from '#troupe/plugins/validate-connector.js';

const page = readFileSync(
  new URL('../docs/converters.md', import.meta.resolve('#troupe/supervisor.js')),
  'utf8',
);
const packages = ['avro-converter', 'json-schema-converter', 'cloudevents'];
const catalog = discoverPlugins(
  packages.map((name) =>
    fileURLToPath(new URL(`../connectors/${name}`, import.meta.resolve('#troupe/supervisor.js'))),
  ),
);

test('each example of the page of converters is a good configuration', async () => {
  const examples = [...page.matchAll(/```json converter\n(.*?)```/gs)].map(([, text = '']) => text);
  assert.ok(examples.length > 0);
  for (const example of examples) {
    // Texts throughout, or validation would complain.
    const config = JSON.parse(example) as Record<string, string>;
    const whole = { name: 'n', 'connector.class': 'FileStreamSink', file: 'out.txt', topics: 't', ...config };
    const { issues } = await validateConnector(whole, catalog);
    assert.deepEqual(issues, [], example);
  }
});

test('every converter that comes with Troupe is on the page, with its name in Kafka Connect', () => {
  const converters = builtinPlugins().filter(({ type }) => type.endsWith('converter'));
  assert.ok(converters.length > 8);
  for (const { class: name, aliases } of converters)
    assert.ok(page.includes(`| ${name} | \`${aliases[0] ?? ''}\` |`), name);
});
