/** Errors of the runtime, of Node and of our own, turned into the one error that is answered. */
import { ERRORS, HttpError, type ErrorCode } from './errors.js';
import { RuntimeFailure, type Call } from './runtime.js';

const OF_RUNTIME: Readonly<Record<string, ErrorCode>> = {
  ACTOR_DOWN: 'ACTOR_DOWN',
  MAILBOX_FULL: 'MAILBOX_FULL',
  ASK_TIMEOUT: 'REQUEST_TIMEOUT',
  ASK_ABORTED: 'REQUEST_TIMEOUT',
  CONNECTOR_NOT_FOUND: 'CONNECTOR_NOT_FOUND',
  CONNECTOR_EXISTS: 'CONNECTOR_EXISTS',
  VERSION_CONFLICT: 'VERSION_CONFLICT',
  TASK_NOT_FOUND: 'TASK_NOT_FOUND',
  CONNECTOR_STOPPED: 'CONNECTOR_STOPPED',
  CONNECTOR_NOT_STOPPED: 'CONNECTOR_NOT_STOPPED',
  POSITIONS_REFUSED: 'POSITIONS_REFUSED',
  TOPIC_TRACKING_OFF: 'TOPIC_TRACKING_OFF',
  TOPIC_NOT_FOUND: 'TOPIC_NOT_FOUND',
  PREVIEW_REFUSED: 'PREVIEW_REFUSED',
  QUEUE_NOT_FOUND: 'QUEUE_NOT_FOUND',
  TOPIC_OWN: 'TOPIC_OWN',
  TOPIC_IN_USE: 'TOPIC_IN_USE',
  TOPIC_RESET_OFF: 'TOPIC_RESET_OFF',
  LOGGER_INVALID: 'LOGGER_INVALID',
  LOGGERS_TOO_MANY: 'LOGGERS_TOO_MANY',
  SIGNAL_EXISTS: 'SIGNAL_EXISTS',
  SIGNAL_NOT_FOUND: 'SIGNAL_NOT_FOUND',
  TOO_MANY_SIGNALS: 'TOO_MANY_SIGNALS',
  CONFIG_INVALID: 'CONFIG_INVALID',
  PLANNING_TIMEOUT: 'PLANNING_TIMEOUT',
  PLANNING_OUT_OF_MEMORY: 'PLANNING_OUT_OF_MEMORY',
  PLANNING_FAILED: 'PLANNING_FAILED',
  NODE_NOT_FOUND: 'NODE_NOT_FOUND',
  PLUGIN_NOT_FOUND: 'PLUGIN_NOT_FOUND',
  PLUGIN_VERSION_NOT_FOUND: 'PLUGIN_VERSION_NOT_FOUND',
  PLUGIN_AMBIGUOUS: 'PLUGIN_AMBIGUOUS',
  PLUGIN_LOAD_FAILED: 'PLANNING_FAILED',
  BAD_CONFIG: 'CONFIG_INVALID',
  LOG_FULL: 'LOG_FULL',
  SHUTTING_DOWN: 'SHUTTING_DOWN',
  // Of the log's errors the one that the request itself is to blame for.
  LOG_BAD_REQUEST: 'LOG_REFUSED',
  SUBMIT_BUSY: 'MAILBOX_FULL',
  // After these two, as after ACTOR_DOWN, a write may have been applied or not.
  SUBMIT_STOPPED: 'ACTOR_DOWN',
  SUBMIT_OVERTAKEN: 'ACTOR_DOWN',
};

/** A plugin's own code may be the name of something that every object has. */
function ofRuntime(code: string): ErrorCode | undefined {
  return Object.hasOwn(OF_RUNTIME, code) ? OF_RUNTIME[code] : undefined;
}

/** Faults of the node itself. */
const OF_KERNEL: ReadonlySet<string> = new Set(['REMOTE_ERROR', 'UNKNOWN_MESSAGE']);

export function toHttpError(error: unknown, call: Call | undefined): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof RuntimeFailure) {
    const code = ofRuntime(error.code) ?? (error.code.startsWith('LOG_') ? 'LOG_UNAVAILABLE' : 'INTERNAL');
    if (code === 'REQUEST_TIMEOUT') return timedOut(call, error);
    if (code !== 'INTERNAL') return new HttpError(code, error.message, { cause: error });
  }
  return new HttpError('INTERNAL', 'The node failed to answer this request; its log has the cause.', {
    cause: error,
  });
}

export function timedOut(call: Call | undefined, cause?: unknown): HttpError {
  const waiting = call?.waitingFor ?? '';
  return new HttpError(
    'REQUEST_TIMEOUT',
    `Request timed out.${waiting === '' ? '' : ` The worker was waiting for ${waiting}.`}`,
    { cause },
  );
}

/** Runs `work`, giving failures of one code another wording. */
export async function rewording<T>(work: Promise<T>, code: ErrorCode, message: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RuntimeFailure && error.code === code) {
      throw new HttpError(code, message, { cause: error });
    }
    throw error;
  }
}

/** Runs what calls a plugin's code: an error with a code of the plugin's own is the plugin's, not the node's. */
export async function blamingPlugin<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RuntimeFailure && isForeign(error.code)) {
      throw new HttpError('PLANNING_FAILED', `${error.code}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function isForeign(code: string): boolean {
  return ofRuntime(code) === undefined && !code.startsWith('LOG_') && !OF_KERNEL.has(code);
}

/** Whether the answer is the node's fault, so that its operator should read of it. */
export function isFault(error: HttpError): boolean {
  return ERRORS[error.code].status === 500;
}
