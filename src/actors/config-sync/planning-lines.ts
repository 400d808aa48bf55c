/** What a connector writes to `context.log` while it plans: a message of its thread to the actor, which has the log. */
import { parentPort } from 'node:worker_threads';
import type { PluginLogger } from '../../sdk/plugin.js';
import { hideSecrets } from '../kernel/known-secrets.js';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

export interface PlanningLine {
  readonly type: 'planning line';
  readonly connector: string;
  readonly level: Level;
  readonly message: string;
  /** As JSON; empty for none. */
  readonly fields: string;
}

/** Of one plan; a loop that logs must not fill the mailbox of the actor. */
const MAX_LINES = 100;
const MAX_CHARS = 4000;

/** Of one plan. */
export function planningLogger(connector: string): PluginLogger {
  let lines = 0;
  const write = (level: Level, text: unknown, fields: unknown): void => {
    lines += 1;
    if (lines > MAX_LINES) return;
    const message = lines === MAX_LINES ? 'the plan logs more than is kept' : textOf(text);
    const line: PlanningLine = { type: 'planning line', connector, level, message, fields: jsonOf(fields) };
    parentPort?.postMessage(line);
  };
  return {
    debug: (message, fields) => {
      write('debug', message, fields);
    },
    info: (message, fields) => {
      write('info', message, fields);
    },
    warn: (message, fields) => {
      write('warn', message, fields);
    },
    error: (message, fields) => {
      write('error', message, fields);
    },
  };
}

/** null: it is no such line. Plugin code shares the port, so it is judged by its shape. */
export function parseLine(message: unknown): PlanningLine | null {
  if (typeof message !== 'object' || message === null) return null;
  const {
    type,
    connector,
    level,
    message: text,
    fields,
  }: Partial<Record<keyof PlanningLine, unknown>> = message;
  const known = LEVELS.find((each) => each === level);
  if (type !== 'planning line' || known === undefined) return null;
  if (typeof connector !== 'string' || typeof text !== 'string' || typeof fields !== 'string') return null;
  if (text.length > MAX_CHARS || fields.length > MAX_CHARS || connector.length > MAX_CHARS) return null;
  return { type, connector, level: known, message: text, fields };
}

function jsonOf(fields: unknown): string {
  if (fields === undefined || fields === null) return '';
  try {
    return textOf(JSON.stringify(fields));
  } catch {
    return '';
  }
}

function textOf(text: unknown): string {
  return hideSecrets(String(text)).slice(0, MAX_CHARS);
}
