import { inspect } from 'node:util';
import type { RecordHeader } from '../../../log/batch.js';
import type { LoadedConverter } from '../../../plugins/converter-config.js';
import { checkSerialised } from '../../../plugins/plugin-returns.js';
import { DataError } from '../../../sdk/errors.js';
import type { Schema } from '../../../sdk/schema.js';
import type { ConnectRecord, JsonObject, RecordTransaction } from '../../../sdk/record.js';
import { headerEncoder } from '../../record-headers.js';
import type { DeadLetterTopic } from './dead-letter-topic.js';
import {
  letterHeaders,
  type BadRecord,
  type DeadLetters,
  type Letter,
  type LetterContext,
  type LetterForm,
} from './letter.js';

/** JsonConverter, with schemas. */
export interface LetterConverters {
  readonly key: LoadedConverter;
  readonly value: LoadedConverter;
  readonly header: LoadedConverter;
}

/** Where a source's record stands. */
export interface SourcePlace {
  readonly partition: JsonObject;
  readonly position: JsonObject;
  readonly transaction?: RecordTransaction | null;
}

export interface SourceLettersOptions {
  readonly topic: DeadLetterTopic;
  readonly context: LetterContext;
  readonly converters: LetterConverters;
  /** Where a record goes that names no topic. */
  readonly recordTopic: string | null;
  /** Into the batch that the position after the record goes with. DataError RECORD_TOO_LARGE. */
  readonly write: (
    at: { readonly topic: string; readonly queue: number },
    letter: Letter,
    place: SourcePlace,
    transaction: RecordTransaction | null,
  ) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Before each. */
  readonly onLetter: () => void;
}

/** Of what is too large, or cannot be made JSON. */
const CUT_CHARS = 64 * 1024;

interface Held {
  readonly form: LetterForm;
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers: readonly RecordHeader[];
}

const NOTHING: Held = { form: 'none', key: null, value: null, headers: [] };

/**
 * The dead letters of a source's task: its records as they were polled, as JSON. They go into the log with the position that
 * passes them, so nothing waits for them.
 */
export class SourceLetters implements DeadLetters {
  readonly #options: SourceLettersOptions;

  constructor(options: SourceLettersOptions) {
    this.#options = options;
  }

  async add({ error, place, record }: BadRecord): Promise<void> {
    if (!isSourcePlace(place)) throw new TypeError('a bad record of a source stands in a partition');
    this.#options.onLetter();
    const held = record === undefined ? NOTHING : this.#held(record);
    const forms = [held, ...(held.form === 'none' ? [] : [cut(held)])];
    const { withContext } = this.#options.context;
    const tries = forms.flatMap((form) => [
      ...(withContext ? [{ form, withContext }] : []),
      { form, withContext: false },
    ]);
    for (const [i, { form, withContext }] of tries.entries()) {
      try {
        this.#write(form, { error, place, record }, withContext);
        return;
      } catch (refused) {
        if (!(refused instanceof DataError) || i === tries.length - 1) throw refused;
      }
    }
  }

  #write(
    { form, key, value, headers }: Held,
    { error, place, record }: { error: unknown; place: SourcePlace; record: ConnectRecord | undefined },
    withContext: boolean,
  ): void {
    const { topic, context, recordTopic, write, now } = this.#options;
    const { partition, position, transaction = null } = place;
    const origin = { topic: record?.topic ?? recordTopic, partition, position, form };
    const letter: Letter = {
      key,
      value,
      timestamp: record?.timestamp ?? now(),
      headers: [...headers, ...letterHeaders({ ...context, withContext }, origin, error)],
    };
    const at = { topic: topic.name, queue: topic.queueOf(key) };
    // What the source could not make is not part of what it has begun.
    write(at, letter, place, record === undefined ? null : transaction);
  }

  #held(record: ConnectRecord): Held {
    const { key, value, header } = this.#options.converters;
    try {
      const hasKey = record.key !== null || record.keySchema !== null;
      return {
        form: 'json',
        key: hasKey ? this.#json(key, record.keySchema, record.key) : null,
        value: this.#json(value, record.valueSchema, record.value),
        headers: record.headers.length === 0 ? [] : headerEncoder(header)('', record.headers),
      };
    } catch {
      // What a plugin in JavaScript makes may be anything.
      return { form: 'text', key: null, value: inspect(record, { maxStringLength: CUT_CHARS }), headers: [] };
    }
  }

  #json({ instance }: LoadedConverter, schema: Schema | null, value: unknown): Uint8Array | string | null {
    return checkSerialised('value', instance.fromConnectData(this.#options.topic.name, schema, value));
  }
}

function cut({ form, value }: Held): Held {
  const text = typeof value === 'string' ? value : Buffer.from(value ?? '').toString('utf8');
  return {
    form: form === 'json' ? 'cut' : form,
    key: null,
    value: text.slice(0, CUT_CHARS),
    headers: [],
  };
}

function isSourcePlace(place: object): place is SourcePlace {
  return 'partition' in place && 'position' in place;
}
