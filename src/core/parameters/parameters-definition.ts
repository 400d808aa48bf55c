/** How a parameter is defined, and what type its value has. The definitions themselves stand in parameters-table.ts. */
import { Secret } from '../../sdk/config.js';

export type ParameterGroup =
  'Node' | 'REST' | 'Cluster' | 'Store' | 'Topics' | 'Tasks' | 'Supervision' | 'Logs' | 'RocketMQ';

interface TextType {
  readonly type: 'text';
  readonly default: string | null;
  readonly pattern?: RegExp;
  /** What `pattern` means, in words. */
  readonly patternDoc?: string;
}

interface ChoiceType {
  readonly type: 'choice';
  readonly default: string;
  readonly allowed: readonly string[];
}

export type Unit = 'ms' | 'bytes' | 'MB';

interface IntegerType {
  readonly type: 'integer';
  readonly default: number;
  readonly unit: Unit | null;
  readonly min: number;
  readonly max: number;
}

/** An integer, or the word `none`, which gives null. */
interface LimitType {
  readonly type: 'limit';
  readonly default: number;
  readonly unit: Unit;
  readonly min: number;
  readonly max: number;
}

/** A fraction. */
interface ShareType {
  readonly type: 'share';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

interface BooleanType {
  readonly type: 'boolean';
  readonly default: boolean;
}

/** Separated by commas. `paths` become absolute, as for `path`. */
interface ListType {
  readonly type: 'list' | 'paths';
  readonly default: readonly string[];
}

/** A relative path starts at the working folder; the parsed value is absolute. */
interface PathType {
  readonly type: 'path';
  readonly default: string | null;
}

interface SecretType {
  readonly type: 'secret';
  readonly default: null;
}

export type ParameterType =
  | TextType
  | ChoiceType
  | IntegerType
  | LimitType
  | ShareType
  | BooleanType
  | ListType
  | PathType
  | SecretType;

export type Entry = ParameterType & {
  /** One or more full sentences, in Markdown. */
  readonly doc: string;
  /** RocketMQ Connect's name for it, accepted in the file and by `--set`. */
  readonly alias?: string;
};

export type ParameterDefinition = Entry & { readonly group: ParameterGroup };

export type ParameterValue = string | number | boolean | readonly string[] | Secret | null;

/** `http.max.body.bytes` → `httpMaxBodyBytes`: how code names a parameter. */
export type PropertyOf<Key extends string> = Key extends `${infer Head}.${infer Rest}`
  ? `${Head}${Capitalize<PropertyOf<Rest>>}`
  : Key;

export type ValueOf<D extends ParameterType> = D extends ChoiceType
  ? D['allowed'][number]
  : D extends LimitType
    ? number | null
    : D extends IntegerType | ShareType
      ? number
      : D extends BooleanType
        ? boolean
        : D extends ListType
          ? readonly string[]
          : D extends SecretType
            ? Secret | null
            : D['default'] extends string
              ? string
              : string | null;

/** Whether the value is a `ValueOf` its definition. */
export function hasTypeOf(definition: ParameterType, value: unknown): boolean {
  switch (definition.type) {
    case 'text':
    case 'path':
      return typeof value === 'string' || (value === null && definition.default === null);
    case 'choice':
      return typeof value === 'string' && definition.allowed.includes(value);
    case 'integer':
    case 'share':
      return typeof value === 'number';
    case 'limit':
      return typeof value === 'number' || value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'list':
    case 'paths':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'secret':
      return value instanceof Secret || value === null;
  }
}

export function propertyOf(key: string): string {
  return key.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** `httpPort` → `TROUPE_HTTP_PORT`. */
export function environmentName(key: string): string {
  return `TROUPE_${key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`;
}

// --- The types' constructors: they keep the table readable. ---

export const integer = <U extends Unit | null>(unit: U, defaultValue: number, min: number, max: number) =>
  ({ type: 'integer', unit, default: defaultValue, min, max }) as const;

export const limit = (unit: Unit, defaultValue: number, min: number, max: number) =>
  ({ type: 'limit', unit, default: defaultValue, min, max }) as const;

export const share = (defaultValue: number, min: number, max: number) =>
  ({ type: 'share', default: defaultValue, min, max }) as const;

export const choice = <const A extends readonly string[]>(allowed: A, defaultValue: A[number]) =>
  ({ type: 'choice', allowed, default: defaultValue }) as const;

export const boolean = (defaultValue: boolean) => ({ type: 'boolean', default: defaultValue }) as const;

export const text = <D extends string | null>(
  defaultValue: D,
  pattern?: RegExp,
  patternDoc?: string,
): TextType & { readonly default: D } => ({
  type: 'text',
  default: defaultValue,
  ...(pattern === undefined ? {} : { pattern }),
  ...(patternDoc === undefined ? {} : { patternDoc }),
});

export const topicName = (defaultValue: string): TextType & { readonly default: string } =>
  text(defaultValue, /^[A-Za-z0-9._-]{1,127}$/, '1 to 127 letters, digits, `.`, `_` or `-`');

const ADDRESS = String.raw`(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}`;

export const addresses = (): TextType & { readonly default: null } =>
  text(
    null,
    new RegExp(`^${ADDRESS}(?:[;,]${ADDRESS})*$`),
    'one `host:port` or several, separated by `;` or `,`',
  );

export const path = <D extends string | null>(defaultValue: D) =>
  ({ type: 'path', default: defaultValue }) as const;

export const list = (type: 'list' | 'paths') => ({ type, default: [] as readonly string[] }) as const;

export const secret = () => ({ type: 'secret', default: null }) as const;
