/** The one catalogue of REST errors: code → HTTP status and meaning. docs/rest.md is tested against it. */

interface CatalogueEntry {
  readonly status: number;
  readonly meaning: string;
  /** Sent as Retry-After: the same request may succeed then. */
  readonly retryAfterSeconds?: number;
}

export const ERRORS = {
  HTTP_MALFORMED: { status: 400, meaning: 'The bytes received are not an HTTP/1.1 request.' },
  URL_MALFORMED: { status: 400, meaning: 'The path holds a percent sign that starts no valid UTF-8 escape.' },
  QUERY_INVALID: { status: 400, meaning: 'A query parameter has a value that is not allowed.' },
  BODY_REQUIRED: { status: 400, meaning: 'The route needs a JSON object as its body.' },
  BODY_NOT_JSON: { status: 400, meaning: 'The body is not JSON in UTF-8.' },
  BODY_INVALID: { status: 400, meaning: 'Fields of the body are missing, unknown or of the wrong type.' },
  CONNECTOR_NAME_INVALID: { status: 400, meaning: 'A connector cannot have this name.' },
  CONFIG_INVALID: { status: 400, meaning: 'The connector refuses its configuration.' },
  CONFIG_NAME_MISMATCH: {
    status: 400,
    meaning: '`name` in the configuration is another than the one addressed.',
  },
  PLUGIN_MISMATCH: { status: 400, meaning: '`connector.class` is another than the plugin addressed.' },
  PLUGIN_AMBIGUOUS: {
    status: 400,
    meaning: 'Several plugins answer to this short name: use the whole class name.',
  },
  PLUGIN_VERSION_NOT_FOUND: { status: 400, meaning: 'The plugin is installed, and not in this version.' },
  CONNECTOR_NOT_STOPPED: {
    status: 400,
    meaning: 'The connector must be STOPPED for this, and its tasks gone.',
  },
  POSITIONS_REFUSED: {
    status: 400,
    meaning: 'The connector has no use for these offsets, or there is no such topic or queue.',
  },
  LOGGER_INVALID: {
    status: 400,
    meaning: 'A logger cannot have this name.',
  },
  HOST_NOT_ALLOWED: { status: 403, meaning: 'The Host header names a host that is not this node.' },
  FOREIGN_SITE: { status: 403, meaning: 'A browser sent the request for another web site.' },
  TOPIC_TRACKING_OFF: {
    status: 403,
    meaning: 'It is not noted which topics connectors use (`topic.tracking.enable`).',
  },
  TOPIC_OWN: { status: 403, meaning: "The topic is one of the cluster's own." },
  TOPIC_RESET_OFF: {
    status: 403,
    meaning: 'The topics that connectors use may not be forgotten (`topic.tracking.allow.reset`).',
  },
  ROUTE_NOT_FOUND: { status: 404, meaning: 'There is no such route.' },
  CONNECTOR_NOT_FOUND: { status: 404, meaning: 'There is no connector of that name.' },
  TASK_NOT_FOUND: { status: 404, meaning: 'The connector has no task of that number.' },
  SIGNAL_NOT_FOUND: { status: 404, meaning: 'The connector has no signal of that id, or not any more.' },
  NODE_NOT_FOUND: { status: 404, meaning: 'The cluster has no node of that id.' },
  PLUGIN_NOT_FOUND: { status: 404, meaning: 'No plugin of that class is installed.' },
  TOPIC_NOT_FOUND: { status: 404, meaning: 'The log has no topic of that name.' },
  LOGGER_NOT_FOUND: { status: 404, meaning: 'The node has no logger of that name.' },
  LOG_LEVEL_INVALID: { status: 404, meaning: 'There is no such level.' },
  QUEUE_NOT_FOUND: { status: 404, meaning: 'The topic has no queue of that number.' },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'The route exists, with the methods told in Allow.' },
  REQUEST_TOO_SLOW: { status: 408, meaning: 'The request did not arrive in time.' },
  CONNECTOR_EXISTS: { status: 409, meaning: 'There is a connector of that name already.' },
  VERSION_CONFLICT: {
    status: 409,
    meaning: 'The configuration was changed at the same time by another request.',
  },
  TOPIC_IN_USE: { status: 409, meaning: 'A connector that is not STOPPED uses the topic.' },
  CONNECTOR_STOPPED: {
    status: 409,
    meaning: 'The connector is STOPPED, so that nothing of it runs that could do this.',
  },
  PREVIEW_REFUSED: {
    status: 409,
    meaning: 'The connector cannot be looked at by a task beside its own.',
  },
  SIGNAL_EXISTS: { status: 409, meaning: 'The connector was sent another signal of that id.' },
  TOO_MANY_SIGNALS: {
    status: 429,
    meaning: 'So many signals wait for their answers that no other is taken.',
    retryAfterSeconds: 5,
  },
  LOGGERS_TOO_MANY: {
    status: 429,
    meaning: 'Levels of so many loggers were set that no other is taken.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    meaning: 'The body is larger than the node accepts; the connection is closed.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    meaning: 'The body is of another type, character set or encoding than JSON in UTF-8.',
  },
  HEADERS_TOO_LARGE: { status: 431, meaning: 'The request line and headers are larger than 16 KiB.' },
  INTERNAL: { status: 500, meaning: 'A fault of the node; its log has the cause under the request id.' },
  TRANSFER_ENCODING_UNSUPPORTED: {
    status: 501,
    meaning: 'The request has another Transfer-Encoding than chunked; the connection is closed.',
  },
  REQUEST_TIMEOUT: { status: 500, meaning: 'No answer within the time limit; a write may still be applied.' },
  PLANNING_FAILED: { status: 500, meaning: 'The connector failed while validating or planning.' },
  PLANNING_OUT_OF_MEMORY: {
    status: 500,
    meaning: 'The connector took more memory than validating or planning may have.',
  },
  PLANNING_TIMEOUT: { status: 504, meaning: 'The connector did not finish validating or planning in time.' },
  LOG_REFUSED: {
    status: 500,
    meaning: 'The log cannot take this write as it is, for instance because it is too large.',
  },
  ACTOR_DOWN: {
    status: 503,
    meaning: 'A part of the node is starting or being restarted.',
    retryAfterSeconds: 1,
  },
  MAILBOX_FULL: {
    status: 503,
    meaning: 'A part of the node has more requests than it can hold.',
    retryAfterSeconds: 1,
  },
  LOG_UNAVAILABLE: {
    status: 503,
    meaning: 'The log that makes writes durable cannot be used.',
    retryAfterSeconds: 2,
  },
  LOG_FULL: {
    status: 503,
    meaning: 'The disk, or the configured size of the log, is full.',
    retryAfterSeconds: 10,
  },
  EVENT_CLIENTS_FULL: {
    status: 503,
    meaning: 'So many clients follow the events of this node that no other is taken.',
    retryAfterSeconds: 10,
  },
  TOO_BUSY: { status: 503, meaning: 'The node is serving as many requests as it may.', retryAfterSeconds: 1 },
  SHUTTING_DOWN: { status: 503, meaning: 'The node is stopping.', retryAfterSeconds: 5 },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with one field. `value` is as given, null when absent, `[hidden]` for a password. */
export interface FieldError {
  readonly field: string;
  readonly value: string | null;
  readonly reason: string;
}

export interface ErrorBody {
  readonly error_code: number;
  readonly message: string;
  readonly code: ErrorCode;
  readonly errors?: readonly FieldError[];
}

/** What a route throws to answer an error. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly fields: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      fields?: readonly FieldError[];
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const entry: CatalogueEntry = ERRORS[code];
    this.code = code;
    this.status = entry.status;
    this.fields = options.fields ?? [];
    this.headers = {
      ...(entry.retryAfterSeconds === undefined ? {} : { 'retry-after': String(entry.retryAfterSeconds) }),
      ...options.headers,
    };
  }
}

export function errorBody(error: HttpError): ErrorBody {
  const body = { error_code: error.status, message: error.message, code: error.code };
  return error.fields.length === 0 ? body : { ...body, errors: error.fields };
}
