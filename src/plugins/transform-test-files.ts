/** Files with tests of transforms: beside the file of a connector, or with its configuration in them. */
import { isJsonMap, parseExactJson, type JsonMap } from '../core/connectors/exact-json.js';
import { parseConnectorFile } from '../core/connectors/connector-file.js';
import { parseJson } from '../sdk/index.js';
import type { RawConfig } from '../sdk/plugin.js';
import { isFields } from '../sdk/value.js';
import { parseTransformTests, type TransformTest } from './transform-tests.js';

export interface TransformTestFile {
  readonly config: RawConfig;
  readonly tests: readonly TransformTest[];
}

/** Of `orders.test.json`, the files that may hold its configuration. */
export function connectorFilesOf(file: string): readonly string[] {
  const stem = file.replace(/(?:\.test)?\.json$/i, '');
  return [`${stem}.json`, `${stem}.properties`].filter((name) => name !== file);
}

/**
 * `{config, tests}`, also with a name beside them, or `[test, …]`, whose configuration is `beside`. Throws an Error that says
 * what is wrong.
 */
export function parseTransformTestFile(
  content: string,
  beside: { readonly file: string; readonly content: string } | null,
): TransformTestFile {
  const text = content.replace(/^\uFEFF/, '');
  const exact = parseExactJson(text);
  const plain = parseJson(text);
  const tests = parseTransformTests(isFields(plain) ? plain['tests'] : plain);
  const config = isJsonMap(exact) ? exact['config'] : undefined;
  if (config !== undefined) {
    if (!isJsonMap(config)) throw new Error('config must be an object of texts');
    return { config: texts(config), tests };
  }
  if (beside === null)
    throw new Error('it has no "config", and there is no file of a connector with its name beside it');
  return { config: parseConnectorFile(beside.file, beside.content).config, tests };
}

function texts(map: JsonMap): RawConfig {
  const entries = Object.entries(map).map(([key, value]): [string, string] => {
    // Numbers are texts already.
    if (typeof value !== 'string' && typeof value !== 'boolean')
      throw new Error(`config.${key} must be a text`);
    return [key, String(value)];
  });
  return Object.fromEntries(entries);
}
