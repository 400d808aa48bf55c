import type { ConfigKey, Plugin, Transform } from '../sdk/index.js';
import { CASE_FORMATS, changeCase, type CaseFormat } from './case-format.js';
import { KEY, VALUE, type Part } from './part.js';
import { renamesFields } from './renamed-fields.js';

const key = (name: string, documentation: string): ConfigKey => ({
  name,
  type: 'STRING',
  allowed: CASE_FORMATS,
  importance: 'HIGH',
  documentation,
});

/** Writes the names of fields in another form: first_name as firstName. */
function changesCase(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [key('from', 'The form in which the names are.'), key('to', 'The form that they are given.')],
    create: (config) => {
      const from = formatOf(config.string('from'));
      const to = formatOf(config.string('to'));
      return renamesFields(part, (name) => changeCase(name, from, to), 'ChangeCase');
    },
  };
}

function formatOf(text: string): CaseFormat {
  return CASE_FORMATS.find((format) => format === text) ?? 'LOWER_UNDERSCORE';
}

export const Key = { type: 'transformation', plugin: changesCase(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: changesCase(VALUE) } satisfies Plugin;
