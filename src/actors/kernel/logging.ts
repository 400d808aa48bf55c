/**
 * Each thread writes its own lines, appended synchronously: a thread that is terminated loses none, and no line
 * passes through another thread. pino is loaded by the first line that is really written, since most task threads
 * never write one and it costs memory in each.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import type * as Pino from 'pino';
import type { build as buildPretty } from 'pino-pretty';
import { onOneLine } from '../../core/bounded-text.js';
import { hideSecrets } from './known-secrets.js';
import { LogLevelReader } from './log-levels.js';
import type { ActorLogger, LoggerOfChild } from './protocol.js';
import { redactFields } from './redact.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Plain data: handed to every thread. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'pretty' | 'json';
  /** null: standard output. */
  readonly file: string | null;
  /** Fields of every line; `actor` or `connector` is shown as the context. */
  readonly bindings?: Readonly<Record<string, unknown>>;
  /** Where levels stand that were changed since: log-levels.ts. Absent: they stay. */
  readonly levels?: SharedArrayBuffer;
  /** Its names there. */
  readonly names?: readonly string[];
}

export function createLogger(options: LogOptions): ActorLogger {
  let root: Writer | null = null;
  const threshold = new Threshold(
    LOG_LEVELS.indexOf(options.level),
    options.levels === undefined ? null : new LogLevelReader(options.levels),
    options.names ?? [],
  );
  return new LazyLogger(threshold, () => (root ??= open(options)));
}

/** The least severe lines that a logger writes, by their places in LOG_LEVELS. */
class Threshold {
  readonly #beginning: number;
  readonly #levels: LogLevelReader | null;
  readonly #names: readonly string[];
  #severity: number;
  /** Of the levels, when they were looked at. */
  #version = 0;

  constructor(beginning: number, levels: LogLevelReader | null, names: readonly string[]) {
    this.#beginning = beginning;
    this.#severity = beginning;
    this.#levels = levels;
    this.#names = names;
  }

  /** What most lines cost: two comparisons. */
  passes(severity: number): boolean {
    if (this.#levels !== null && this.#levels.version !== this.#version) this.#look(this.#levels);
    return severity >= this.#severity;
  }

  /** Of a logger with one name more. */
  named(name: string): Threshold {
    return new Threshold(this.#beginning, this.#levels, [...this.#names, name]);
  }

  #look(levels: LogLevelReader): void {
    const { severity, version } = levels.severityFor(this.#names);
    this.#severity = severity ?? this.#beginning;
    this.#version = version;
  }
}

/** What a logger needs of pino. */
type Writer = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'> & { child(bindings: object): Writer };

const MAX_MESSAGE = 16 * 1024;

class LazyLogger implements ActorLogger {
  readonly #threshold: Threshold;
  readonly #open: () => Writer;

  constructor(threshold: Threshold, open: () => Writer) {
    this.#threshold = threshold;
    this.#open = open;
  }

  debug(fields: object, message: string): void {
    if (this.#threshold.passes(0)) this.#write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    if (this.#threshold.passes(1)) this.#write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    if (this.#threshold.passes(2)) this.#write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    if (this.#threshold.passes(3)) this.#write('error', fields, message);
  }

  child(bindings: object, { logger }: LoggerOfChild = {}): ActorLogger {
    let child: Writer | null = null;
    const threshold = logger === undefined ? this.#threshold : this.#threshold.named(logger);
    return new LazyLogger(threshold, () => (child ??= this.#open().child({ ...bindings })));
  }

  /** A line that cannot be written as it should be ends nothing: it is often the last word on a failure. */
  #write(level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void {
    const text = hideSecrets(message, MAX_MESSAGE);
    try {
      this.#open()[level](fields, text);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const logging = hideSecrets(problem, MAX_MESSAGE);
      writeBare({ level, time: new Date().toISOString(), msg: text, logging });
    }
  }
}

/** To the standard error, which is open already and needs no module: with no descriptor left neither a file nor pino can be had. */
function writeBare(line: object): void {
  try {
    writeSync(2, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody can be told any more.
  }
}

const require = createRequire(import.meta.url);

function open(options: LogOptions): Writer {
  const { pino } = require('pino') as typeof Pino;
  const brief = isBrief(options);
  const serializeError = (value: unknown): unknown => {
    if (!(value instanceof Error)) return value;
    return brief
      ? onOneLine(hideSecrets(`${value.name}: ${value.message}`, MAX_MESSAGE))
      : redactFields(pino.stdSerializers.err(value));
  };
  const settings: LoggerOptions = {
    // What is written is decided before.
    level: 'debug',
    base: options.bindings ?? null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      log: (fields) => redactFields(fields, options.format === 'pretty' ? onOneLine : undefined),
      bindings: (fields) => redactFields(fields),
      level: (label) => ({ level: label }),
    },
    serializers: { err: serializeError, error: serializeError },
  };
  const destination = pino.destination({
    dest: options.file ?? 1,
    append: true,
    mkdir: true,
    // Lines may quote records.
    mode: 0o600,
    sync: true,
  });
  return options.format === 'json' ? pino(settings, destination) : pino(settings, pretty(destination, brief));
}

/** For eyes: an error is its message. Its stack is there at debug level, in JSON, and in the status over REST. */
function isBrief(options: LogOptions): boolean {
  return options.format === 'pretty' && options.level !== 'debug';
}

/** In-process: pino-pretty as a transport would be a thread for each thread. */
function pretty(destination: DestinationStream, brief: boolean): DestinationStream {
  const { build } = require('pino-pretty') as { build: typeof buildPretty };
  const context = ['connector', 'task', 'actor'];
  return build({
    destination,
    sync: true,
    colorize: false,
    singleLine: true,
    // Those get lines of their own.
    errorLikeObjectKeys: brief ? [] : ['err', 'error'],
    translateTime: 'SYS:HH:MM:ss.l',
    customPrettifiers: { time: text, level: (level) => text(level).toUpperCase() },
    ignore: ['pid', 'hostname', ...context, ...(brief ? ['stack'] : [])].join(','),
    messageFormat: (line, messageKey) => {
      const where = line['connector'] ?? line['actor'];
      const task = line['task'] === undefined ? '' : `-${text(line['task'])}`;
      return `${where === undefined ? '' : `[${onOneLine(text(where))}${task}] `}${onOneLine(text(line[messageKey]))}`;
    },
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
