import { isFields } from '../sdk/index.js';
import type { ConfigDefinition, ConnectRecord, ParsedConfig, Plugin, Schema } from '../sdk/index.js';
import { extended, fitted, schemaOf, UNKNOWN, type Shape, type ShapeRules } from './inferred-shape.js';
import { KEY, VALUE, type Part } from './part.js';

const CONFIG: ConfigDefinition = [
  {
    name: 'schema.name',
    type: 'STRING',
    defaultValue: null,
    importance: 'MEDIUM',
    documentation:
      'Name of the schema of structs, where `${topic}` stands for the topic. Its version counts how often it has grown since the task started.',
  },
  {
    name: 'evolve',
    type: 'BOOLEAN',
    defaultValue: 'true',
    importance: 'MEDIUM',
    documentation:
      'true: a schema of a topic has all that has come in it since the task started, and grows. false: each record has the schema that it says itself.',
  },
  {
    name: 'on.conflict',
    type: 'STRING',
    defaultValue: 'fail',
    allowed: ['fail', 'string'],
    importance: 'MEDIUM',
    documentation:
      'What a field becomes that was of one type and is of another: fail: its record is a bad one; string: a text from then on.',
  },
  {
    name: 'max.fields',
    type: 'INT',
    defaultValue: '1000',
    min: 1,
    max: 100_000,
    importance: 'LOW',
    documentation:
      'The most fields of a schema, those of structs in it counted. One more makes its record a bad one.',
  },
  {
    name: 'max.topics',
    type: 'INT',
    defaultValue: '1000',
    min: 1,
    max: 100_000,
    importance: 'LOW',
    documentation:
      'Of so many topics a task remembers the schema. Beyond it the one that has not come for longest begins anew.',
  },
];

/** The entry that was neither read nor written for longest makes room for a new one. */
class LruMap<T> {
  readonly #entries = new Map<string, T>();
  readonly #max: number;
  #newest: string | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): T | undefined {
    const found = this.#entries.get(key);
    if (found !== undefined && key !== this.#newest) this.set(key, found);
    return found;
  }

  set(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#newest = key;
    if (this.#entries.size <= this.#max) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}

/** Of one topic. */
interface Known {
  readonly shape: Shape;
  readonly schema: Schema;
  readonly version: number;
}

function make(part: Part): Plugin {
  return {
    type: 'transformation',
    plugin: {
      version: '1.0.0',
      config: CONFIG,
      create: (config) => {
        const inferred = inference(config);
        return {
          apply: (record) => {
            const value = part.value(record);
            if (part.schema(record) !== null || value === null || value === undefined) return record;
            const { shape, schema } = inferred(record, value);
            return part.replace(record, schema, fitted(shape, value));
          },
        };
      },
    },
  };
}

function inference(config: ParsedConfig): (record: ConnectRecord, value: unknown) => Known {
  const name = config.stringOrNull('schema.name');
  const evolve = config.boolean('evolve');
  const rules: ShapeRules = {
    maxFields: config.int('max.fields'),
    conflictsAreText: config.string('on.conflict') === 'string',
  };
  const topics = new LruMap<Known>(config.int('max.topics'));
  return (record, value) => {
    const topic = record.topic ?? '';
    const before = evolve ? topics.get(topic) : undefined;
    const shape = extended(before?.shape ?? UNKNOWN, value, rules);
    // The same object as long as nothing is new: converters go by it.
    if (before?.shape === shape) return before;
    const version = (before?.version ?? 0) + 1;
    const named = name === null || !isFields(value) ? null : name.replaceAll('${topic}', topic);
    const known = { shape, schema: schemaOf(shape, { name: named, version }), version };
    if (evolve) topics.set(topic, known);
    return known;
  };
}

export const Key = make(KEY);
export const Value = make(VALUE);
