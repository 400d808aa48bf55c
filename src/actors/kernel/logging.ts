/**
 * Each thread writes its own lines, appended synchronously: a thread that is terminated loses none, and no line
 * passes through another thread. pino is loaded by the first line that is really written, since most task threads
 * never write one and it costs memory in each.
 */
import { createRequire } from 'node:module';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import type * as Pino from 'pino';
import type { build as buildPretty } from 'pino-pretty';
import { hideSecrets } from './known-secrets.js';
import type { ActorLogger } from './protocol.js';
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
}

export function createLogger(options: LogOptions): ActorLogger {
  let root: Logger | null = null;
  return new LazyLogger(LOG_LEVELS.indexOf(options.level), () => (root ??= open(options)));
}

class LazyLogger implements ActorLogger {
  readonly #level: number;
  readonly #open: () => Logger;

  constructor(level: number, open: () => Logger) {
    this.#level = level;
    this.#open = open;
  }

  debug(fields: object, message: string): void {
    if (this.#level <= 0) this.#open().debug(fields, hideSecrets(message));
  }

  info(fields: object, message: string): void {
    if (this.#level <= 1) this.#open().info(fields, hideSecrets(message));
  }

  warn(fields: object, message: string): void {
    if (this.#level <= 2) this.#open().warn(fields, hideSecrets(message));
  }

  error(fields: object, message: string): void {
    if (this.#level <= 3) this.#open().error(fields, hideSecrets(message));
  }

  child(bindings: object): ActorLogger {
    let child: Logger | null = null;
    return new LazyLogger(this.#level, () => (child ??= this.#open().child({ ...bindings })));
  }
}

const require = createRequire(import.meta.url);

function open(options: LogOptions): Logger {
  const { pino } = require('pino') as typeof Pino;
  const brief = isBrief(options);
  const serializeError = (value: unknown): unknown => {
    if (!(value instanceof Error)) return value;
    return brief
      ? hideSecrets(`${value.name}: ${value.message}`)
      : redactFields(pino.stdSerializers.err(value));
  };
  const settings: LoggerOptions = {
    level: options.level,
    base: options.bindings ?? null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { log: redactFields, bindings: redactFields, level: (label) => ({ level: label }) },
    serializers: { err: serializeError, error: serializeError },
  };
  const destination = pino.destination({ dest: options.file ?? 1, append: true, mkdir: true, sync: true });
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
      return `${where === undefined ? '' : `[${text(where)}${task}] `}${text(line[messageKey])}`;
    },
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
