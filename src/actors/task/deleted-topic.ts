import { LogError } from '../../log/log.js';

/** The same error, and what to do, where somebody has deleted a topic that the task reads or writes. */
export function explainDeleted(error: unknown): unknown {
  if (!isUnknownTopic(error)) return error;
  return new LogError(
    'LOG_UNKNOWN_TOPIC',
    `a topic of this task was deleted while it ran: ${error.message}, or let the restart create it; then restart the task. It does not start by itself, as an empty topic in its place might go unnoticed`,
    { cause: error },
  );
}

export function isUnknownTopic(error: unknown): error is LogError {
  return error instanceof LogError && error.code === 'LOG_UNKNOWN_TOPIC';
}
