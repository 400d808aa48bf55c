/** What stands in a dead-letter queue beside the bad record: Kafka Connect's headers, and Troupe's own one, by which it is replayed. */
import type { BatchReader, RecordHeader } from '../../../log/batch.js';
import { stageOf, type Stage } from '../../../plugins/failed-stage.js';
import type { ConnectRecord, JsonObject } from '../../../sdk/record.js';
import { hideSecrets } from '../../kernel/known-secrets.js';
import type { RecordPlace } from '../skipped-records.js';

export interface Letter {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** A bad record that is skipped. */
export interface BadRecord {
  readonly error: unknown;
  readonly place: RecordPlace;
  /** As the plugin has it; undefined: it never had one. */
  readonly record?: ConnectRecord | undefined;
  /** As it stands in the log; absent: not at hand. */
  readonly raw?: RawRecord | undefined;
}

export interface RawRecord {
  readonly batch: BatchReader;
  readonly index: number;
}

export interface DeadLetters {
  /** Kept, and durable before what passes the record. Rejects where it cannot be kept: then the task must not pass it. */
  readonly add: (bad: BadRecord) => Promise<void>;
}

/** Of the task whose letters they are. */
export interface LetterContext {
  readonly connector: string;
  readonly task: number;
  /** `errors.deadletterqueue.context.headers.enable` */
  readonly withContext: boolean;
  /** Class of what runs at a stage, as it is configured. */
  readonly classOf: (stage: Stage, alias: string | null) => string;
  /** Where nobody has said it. */
  readonly defaultStage: Stage;
}

/** Where the record is from. */
export type Origin =
  | { readonly topic: string; readonly queue: number; readonly offset: number }
  | {
      readonly topic: string | null;
      readonly partition: JsonObject;
      readonly position: JsonObject;
      readonly form: LetterForm;
    };

/**
 * What the letter of a source holds. json: the record as it was polled, as JsonConverter writes it with schemas. cut: the
 * beginning of that. text: what could not be made JSON, as text. none: nothing, as the source could not read it.
 */
export type LetterForm = 'json' | 'cut' | 'text' | 'none';

/** Of Troupe's own: a JSON object with `connector`, `task` and the origin. */
export const LETTER_HEADER = 'TROUPE_LETTER';
export const CONTEXT_PREFIX = '__connect.errors.';

const MAX_MESSAGE = 4000;
const MAX_STACK = 8000;

export function letterHeaders(context: LetterContext, origin: Origin, error: unknown): RecordHeader[] {
  const { connector, task } = context;
  const mark: RecordHeader = [LETTER_HEADER, Buffer.from(JSON.stringify({ connector, task, ...origin }))];
  return context.withContext ? [mark, ...contextHeaders(context, origin, error)] : [mark];
}

function contextHeaders(context: LetterContext, origin: Origin, error: unknown): RecordHeader[] {
  const { stage, alias = null } = stageOf(error) ?? { stage: context.defaultStage };
  const place: Readonly<Record<string, string | null>> =
    'queue' in origin
      ? { topic: origin.topic, partition: String(origin.queue), offset: String(origin.offset) }
      : {
          topic: origin.topic,
          'source.partition': JSON.stringify(origin.partition),
          'source.position': JSON.stringify(origin.position),
        };
  const texts: Readonly<Record<string, string | null>> = {
    ...place,
    'connector.name': context.connector,
    'task.id': String(context.task),
    stage,
    'class.name': context.classOf(stage, alias),
    'exception.class.name': error instanceof Error ? error.name : typeof error,
    'exception.message': hideSecrets(error instanceof Error ? error.message : String(error), MAX_MESSAGE),
    'exception.stacktrace': hideSecrets(stackOf(error), MAX_STACK),
  };
  return Object.entries(texts).flatMap(([name, text]): RecordHeader[] =>
    text === null ? [] : [[`${CONTEXT_PREFIX}${name}`, Buffer.from(text)]],
  );
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error
    ? `${stack}\nCaused by: ${error.cause.stack ?? error.cause.message}`
    : stack;
}

/** The record's own headers: a letter that is bad again is not told of twice. */
export function withoutLetterHeaders(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  const isOurs = ([name]: RecordHeader): boolean => name === LETTER_HEADER || name.startsWith(CONTEXT_PREFIX);
  return headers.some(isOurs) ? headers.filter((header) => !isOurs(header)) : headers;
}
