import type { Schema } from './schema.js';

/** What a plugin makes of a schema, made once for each schema it meets. Records rarely come with many in turn. */
export class PerSchema<T> {
  readonly #make: (schema: Schema) => T;
  readonly #made = new WeakMap<Schema, T>();
  #lastSchema: Schema | null = null;
  #last: T | null = null;

  constructor(make: (schema: Schema) => T) {
    this.#make = make;
  }

  of(schema: Schema): T {
    if (schema === this.#lastSchema && this.#last !== null) return this.#last;
    let made = this.#made.get(schema);
    if (made === undefined) {
      made = this.#make(schema);
      this.#made.set(schema, made);
    }
    this.#lastSchema = schema;
    this.#last = made;
    return made;
  }
}
