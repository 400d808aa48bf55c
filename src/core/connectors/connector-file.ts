/** A connector as a file holds it: ours, or as Kafka Connect's standalone mode takes it. */
import { parseProperties } from '../parameters/properties-file.js';
import { nameProblem } from './connector-name.js';
import { isForbiddenKey, isJsonMap, parseExactJson, type JsonMap } from './exact-json.js';

export interface ConnectorFile {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

const FORMS = /\.(json|properties)$/i;

/** Tests of the transforms of a connector, beside its file. */
const TESTS = /\.test\.json$/i;

/** Whether a file of that name is one of a connector. */
export function isConnectorFile(file: string): boolean {
  return FORMS.test(file) && !TESTS.test(file);
}

export function isTestFile(file: string): boolean {
  return TESTS.test(file);
}

/**
 * `{"name": …, "config": {…}}`, the flat `{"name": …, "connector.class": …}`, or properties. Numbers stay the digits that
 * stand there. Throws an Error that says what is wrong.
 */
export function parseConnectorFile(file: string, content: string): ConnectorFile {
  const entries = file.toLowerCase().endsWith('.json') ? jsonEntries(content) : propertyEntries(content);
  const forbidden = entries.config.find(([key]) => isForbiddenKey(key));
  if (forbidden !== undefined) throw new Error(`${forbidden[0]} cannot be a configuration key`);
  const name = entries.name?.trim();
  if (name === undefined) throw new Error('it says no "name" of the connector');
  const problem = nameProblem(name);
  if (problem !== null) throw new Error(`the connector name ${problem}`);
  return { name, config: Object.fromEntries(entries.config) };
}

interface Entries {
  readonly name: string | undefined;
  readonly config: readonly (readonly [key: string, value: string])[];
}

function jsonEntries(content: string): Entries {
  // Editors of Windows put a mark before the text.
  const parsed = parseExactJson(content.replace(/^\uFEFF/, ''));
  const form = 'it must hold {"name": "…", "config": {"key": "value", …}}';
  if (!isJsonMap(parsed)) throw new Error(form);
  const { name, config } = parsed;
  if (name !== undefined && typeof name !== 'string') throw new Error('its "name" must be a text');
  if (config !== undefined) {
    if (!isJsonMap(config)) throw new Error(form);
    // Tests are not the node's to run.
    const unknown = Object.keys(parsed).find((key) => !['name', 'config', 'tests'].includes(key));
    if (unknown !== undefined)
      throw new Error(`${unknown} stands beside "config": put it into it, or remove it`);
    return { name, config: texts(config) };
  }
  if (!Object.hasOwn(parsed, 'connector.class') && !Object.hasOwn(parsed, 'connector-class'))
    throw new Error(form);
  return { name, config: texts(parsed) };
}

function texts(map: JsonMap): Entries['config'] {
  return Object.entries(map).map(([key, value]) => {
    // Numbers are texts already.
    if (typeof value === 'string') return [key, value];
    if (typeof value === 'boolean') return [key, String(value)];
    throw new Error(`the value of ${key} must be a string, a number or a boolean`);
  });
}

function propertyEntries(content: string): Entries {
  const { entries, problems } = parseProperties(content);
  const [first] = problems;
  if (first !== undefined) throw new Error(`line ${first.line}: ${first.message}`);
  return {
    name: entries.find(({ key }) => key === 'name')?.value,
    config: entries.map(({ key, value }) => [key, value]),
  };
}
