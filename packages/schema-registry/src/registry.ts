/**
 * A registry as converters see it, which may not wait: what is not known yet is asked for, and RetriableError with `ready` thrown in
 * the meantime. Bounded by LRU caches; what was refused is remembered for a while, so that many bad records ask once.
 */
import { DataError, fieldOf, isFields, RetriableError } from '@troupe/sdk';
import { LRUCache } from 'lru-cache';
import type { RegistryOptions } from './config.js';
import { ask, type Answer } from './transport.js';

export type SchemaKind = 'AVRO' | 'JSON' | 'PROTOBUF';

export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface RegisteredSchema {
  readonly id: number;
  readonly kind: SchemaKind;
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

/** How long what the registry refused is not asked for again, and how old the newest version of a subject may be. */
const REFUSED_MS = 10_000;
const LATEST_MS = 60_000;

type Entry<T> =
  | { readonly state: 'asked'; readonly ready: Promise<unknown> }
  | { readonly state: 'known'; readonly value: T }
  | { readonly state: 'failed'; readonly error: unknown };

class Lookups<T extends object | number> {
  readonly #entries: LRUCache<string, Entry<T>>;
  readonly #knownMs: number | undefined;

  /** `knownMs`: after which what is known is asked for again. */
  constructor(max: number, knownMs?: number) {
    this.#entries = new LRUCache<string, Entry<T>>({ max });
    this.#knownMs = knownMs;
  }

  get(key: string, fetch: () => Promise<T>): T {
    const entry = this.#entries.get(key);
    if (entry?.state === 'known') return entry.value;
    if (entry?.state === 'asked') throw waiting(entry.ready);
    if (entry?.state === 'failed') {
      // That it may pass is said once; then it is asked again.
      if (entry.error instanceof RetriableError) this.#entries.delete(key);
      throw entry.error;
    }
    const ready = fetch().then(
      (value) => {
        this.#set(key, { state: 'known', value }, this.#knownMs);
      },
      (error: unknown) => {
        this.#set(key, { state: 'failed', error }, REFUSED_MS);
      },
    );
    this.#entries.set(key, { state: 'asked', ready });
    throw waiting(ready);
  }

  #set(key: string, entry: Entry<T>, ttl: number | undefined): void {
    this.#entries.set(key, entry, ttl === undefined ? {} : { ttl });
  }
}

function waiting(ready: Promise<unknown>): RetriableError {
  return new RetriableError('waiting for the schema registry', { code: 'REGISTRY_ASKED', ready });
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #kind: SchemaKind;
  readonly #byId: Lookups<RegisteredSchema>;
  readonly #ids: Lookups<number>;
  readonly #latest: Lookups<RegisteredSchema>;

  constructor(options: RegistryOptions, kind: SchemaKind) {
    this.#options = options;
    this.#kind = kind;
    this.#byId = new Lookups(options.cacheSize);
    this.#ids = new Lookups(options.cacheSize);
    this.#latest = new Lookups(options.cacheSize, LATEST_MS);
  }

  /** Throws DataError UNKNOWN_SCHEMA_ID, or WRONG_CONVERTER for a schema of another kind. */
  schema(id: number): RegisteredSchema {
    return this.#byId.get(String(id), async () => {
      const answer = await this.#ask('GET', `/schemas/ids/${id}`);
      if (answer.status === 404) throw refused('UNKNOWN_SCHEMA_ID', `the registry knows no schema ${id}`);
      return this.#registered(good(answer), id);
    });
  }

  /** The text of what a schema refers to. */
  version(subject: string, version: number): RegisteredSchema {
    return this.#byId.get(`${subject}\n${version}`, async () => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      const answer = await this.#ask('GET', path);
      if (answer.status === 404)
        throw refused('UNKNOWN_SUBJECT', `the registry knows no version ${version} of ${subject}`);
      return this.#registered(good(answer), null);
    });
  }

  /** Of a schema, registered now or before. Throws DataError INCOMPATIBLE_SCHEMA, UNKNOWN_SUBJECT, BAD_SCHEMA. */
  idOf(subject: string, text: string): number {
    return this.#ids.get(`${subject}\n${text}`, async () => {
      const { autoRegister } = this.#options;
      const path = `/subjects/${encodeURIComponent(subject)}${autoRegister ? '/versions' : ''}`;
      const schemaType = this.#kind === 'AVRO' ? {} : { schemaType: this.#kind };
      const answer = await this.#ask('POST', path, { schema: text, ...schemaType });
      if (answer.status === 404)
        throw refused(
          'UNKNOWN_SUBJECT',
          `the subject ${subject} has no such schema: register it, or set auto.register.schemas=true`,
        );
      if (answer.status === 409)
        throw refused(
          'INCOMPATIBLE_SCHEMA',
          `the registry finds the schema incompatible with the ones before it of ${subject}: ${said(answer)}`,
        );
      return numberOf(good(answer), 'id');
    });
  }

  /** Throws DataError UNKNOWN_SUBJECT. */
  latest(subject: string): RegisteredSchema {
    return this.#latest.get(subject, async () => {
      const answer = await this.#ask('GET', `/subjects/${encodeURIComponent(subject)}/versions/latest`);
      if (answer.status === 404)
        throw refused('UNKNOWN_SUBJECT', `the registry has no schema of the subject ${subject}`);
      return this.#registered(good(answer), null);
    });
  }

  #ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    return ask(this.#options.address, method, path, body);
  }

  #registered(body: unknown, id: number | null): RegisteredSchema {
    const fields = isFields(body) ? body : {};
    const kind = fieldOf(fields, 'schemaType') ?? 'AVRO';
    const text = fieldOf(fields, 'schema');
    if (typeof text !== 'string') throw strange('no schema');
    if (kind !== this.#kind)
      throw refused(
        'WRONG_CONVERTER',
        `the schema${id === null ? '' : ` ${id}`} is one of ${typeof kind === 'string' ? kind : 'another kind'}, not ${this.#kind}: choose the converter for it`,
      );
    return {
      id: id ?? numberOf(body, 'id'),
      kind: this.#kind,
      text,
      references: referencesOf(fieldOf(fields, 'references')),
    };
  }
}

function referencesOf(json: unknown): readonly SchemaReference[] {
  const list: readonly unknown[] = Array.isArray(json) ? json : [];
  return list.map((item) => {
    const fields = isFields(item) ? item : {};
    const [name, subject] = [fieldOf(fields, 'name'), fieldOf(fields, 'subject')];
    if (typeof name !== 'string' || typeof subject !== 'string') throw strange('a reference without a name');
    return { name, subject, version: numberOf(item, 'version') };
  });
}

function good(answer: Answer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw refused('BAD_SCHEMA', `the registry refuses (status ${answer.status}): ${said(answer)}`);
}

function said({ body }: Answer): string {
  const message = isFields(body) ? fieldOf(body, 'message') : undefined;
  return typeof message === 'string' ? message.slice(0, 300) : 'it does not say why';
}

function numberOf(body: unknown, name: string): number {
  const value = isFields(body) ? fieldOf(body, name) : undefined;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw strange(`no ${name}`);
}

function refused(code: string, message: string): DataError {
  return new DataError(message, { code });
}

function strange(what: string): RetriableError {
  return new RetriableError(
    `the schema registry answers with ${what}: schema.registry.url may not be that of a registry`,
    {
      code: 'REGISTRY_AWAY',
    },
  );
}
