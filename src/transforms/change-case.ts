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
      const known = new Map<string, string>();
      return renamesFields(
        part,
        (name) => remembered(known, name, () => changeCase(name, from, to)),
        'ChangeCase',
      );
    },
  };
}

function formatOf(text: string): CaseFormat {
  return CASE_FORMATS.find((format) => format === text) ?? 'LOWER_UNDERSCORE';
}

/** Names of fields are few, as a rule; where they are not, they are no longer kept. */
const MAX_KNOWN = 1000;

function remembered(known: Map<string, string>, name: string, make: () => string): string {
  const found = known.get(name);
  if (found !== undefined) return found;
  const made = make();
  if (known.size < MAX_KNOWN) known.set(name, made);
  return made;
}

export const Key = { type: 'transformation', plugin: changesCase(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: changesCase(VALUE) } satisfies Plugin;
