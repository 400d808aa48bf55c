/** One parameter's text → its value, or what is wrong with it. */
import { resolve } from 'node:path';
import { Secret } from '../../sdk/config.js';
import type { ParameterDefinition, ParameterValue } from './parameters-definition.js';

export type ParsedValue =
  { readonly ok: true; readonly value: ParameterValue } | { readonly ok: false; readonly expected: string };

/** `cwd` is where relative paths start. An empty text means "not set" where that is possible. */
export function parseValue(definition: ParameterDefinition, raw: string, cwd: string): ParsedValue {
  // Blanks at the end of a line are invisible, and no value but a secret can mean them.
  const text = definition.type === 'secret' ? raw : raw.trim();
  const value = valueOf(definition, text, cwd);
  return value === undefined ? { ok: false, expected: allowedText(definition) } : { ok: true, value };
}

/** The default, as `parseValue` would give it. */
export function defaultValue(definition: ParameterDefinition, cwd: string): ParameterValue {
  if (definition.type === 'path' && definition.default !== null) return resolve(cwd, definition.default);
  return definition.default;
}

function valueOf(definition: ParameterDefinition, text: string, cwd: string): ParameterValue | undefined {
  switch (definition.type) {
    case 'text':
      if (text === '') return definition.default === null ? null : undefined;
      return definition.pattern === undefined || definition.pattern.test(text) ? text : undefined;
    case 'choice':
      return definition.allowed.includes(text) ? text : undefined;
    case 'integer':
      return number(/^-?\d{1,16}$/, text, definition);
    case 'limit':
      return text === 'none' ? null : number(/^-?\d{1,16}$/, text, definition);
    case 'share':
      return number(/^\d{1,3}(\.\d{1,16})?$/, text, definition);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'list':
      return listOf(text);
    case 'paths':
      return listOf(text).map((path) => resolve(cwd, path));
    case 'path':
      if (text === '') return definition.default === null ? null : undefined;
      return resolve(cwd, text);
    case 'secret':
      return text === '' ? null : new Secret(text);
  }
}

function number(form: RegExp, text: string, range: { min: number; max: number }): number | undefined {
  if (!form.test(text)) return undefined;
  const value = Number(text);
  return value >= range.min && value <= range.max ? value : undefined;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** What may be written, in words: for errors and for the documentation. */
export function allowedText(definition: ParameterDefinition): string {
  switch (definition.type) {
    case 'text':
      return definition.patternDoc ?? 'a text';
    case 'choice':
      return `one of ${definition.allowed.join(', ')}`;
    case 'integer':
      return `a whole number${unitText(definition.unit)} from ${definition.min} to ${definition.max}`;
    case 'limit':
      return `a whole number${unitText(definition.unit)} from ${definition.min} to ${definition.max}, or none`;
    case 'share':
      return `a number from ${definition.min} to ${definition.max}`;
    case 'boolean':
      return 'true or false';
    case 'list':
      return 'a list, separated by commas';
    case 'paths':
      return 'a list of paths, separated by commas';
    case 'path':
      return 'a path';
    case 'secret':
      return 'a text, which is never shown';
  }
}

function unitText(unit: string | null): string {
  return unit === null ? '' : ` of ${unit}`;
}
