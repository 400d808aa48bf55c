/** What a failure of the gRPC side means to a caller of the log. */
import { LogError, type LogErrorCode } from '../../log.js';

interface Meaning {
  readonly code: LogErrorCode;
  readonly advice: string;
}

const AWAY: Meaning = {
  code: 'LOG_UNAVAILABLE',
  advice: 'The proxy does not answer. Check that it runs and that rocketmq.endpoints names it',
};
const BUSY: Meaning = {
  code: 'LOG_UNAVAILABLE',
  advice: 'RocketMQ is busy, or a broker is away: try again',
};
const DENIED: Meaning = {
  code: 'LOG_BAD_REQUEST',
  advice: 'Check accessKey and secretKey, and what the ACL of the cluster grants them',
};
/** Also while the brokers are away, and up to a minute after: the proxy asks them, and remembers what it was told. */
const UNKNOWN_USER: Meaning = {
  code: 'LOG_UNAVAILABLE',
  advice: 'Check accessKey. A proxy says so for a while after the brokers were away, too',
};
const TOO_LARGE: Meaning = {
  code: 'LOG_BAD_REQUEST',
  advice: "Send less at once, or raise the broker's maxMessageSize",
};
const FULL: Meaning = {
  code: 'LOG_FULL',
  advice: 'The broker takes no messages; nothing was appended. Free space on its disk, and it goes on',
};

/** Codes below are gRPC's own: no answer of RocketMQ. */
const FIRST_OF_ROCKETMQ = 20_000;
const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [1, { code: 'LOG_CLOSED', advice: 'The client was closed' }],
  [4, AWAY],
  [7, DENIED],
  [8, BUSY],
  [
    12,
    { code: 'LOG_BAD_REQUEST', advice: 'What answers at rocketmq.endpoints is not a proxy of RocketMQ 5' },
  ],
  [14, AWAY],
  [16, DENIED],
  // The proxy was started anew: the client tells it its settings within a second.
  [40015, BUSY],
  [40100, DENIED],
  [40300, DENIED],
  [40402, { code: 'LOG_UNKNOWN_TOPIC', advice: 'Create the topic first' }],
  [40403, { code: 'LOG_BAD_REQUEST', advice: 'Create the consumer group first, on every broker' }],
  [40800, BUSY],
  [41300, TOO_LARGE],
  [41301, TOO_LARGE],
  [42900, BUSY],
  [50000, BUSY],
  [50001, BUSY],
  [50002, BUSY],
  [50400, BUSY],
  [50401, BUSY],
  [50402, BUSY],
]);
/** As a stream that a proxy or a load balancer has reset: whether the request was carried out is unknown. */
const BROKEN_OFF: Meaning = {
  code: 'LOG_UNAVAILABLE',
  advice:
    'The call was broken off on its way to the proxy or back: try again, and see the log of what lies between',
};
const OTHER: Meaning = { code: 'LOG_BAD_REQUEST', advice: 'See the log of the proxy for the cause' };
const NO_ANSWER: Meaning = { code: 'LOG_IO', advice: 'See the cause' };

/** `what` was tried, as in "publish to topic t". */
export function toLogError(what: string, error: unknown): LogError {
  if (error instanceof LogError) return error;
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const meaning = code === null ? NO_ANSWER : meaningOf(code, text);
  return new LogError(meaning.code, `cannot ${what} (${firstLine(text)}). ${meaning.advice}`, {
    cause: error,
  });
}

/** Nobody answered, so that nobody will answer the next call either. */
export function isAway(error: unknown): boolean {
  return error instanceof LogError && [4, 14].includes(codeOf(error.cause) ?? 0);
}

/** A proxy says that a topic is not there also while its broker is away, and remembers it for up to 20 s. */
export function mayPass(error: unknown): boolean {
  return error instanceof LogError && (error.retriable || error.code === 'LOG_UNKNOWN_TOPIC');
}

/** Whatever goes wrong at a broker comes through the proxy as one code. */
function meaningOf(code: number, text: string): Meaning {
  if (code === 50001 && /service not available|disk.*full/i.test(text)) return FULL;
  if (code === 50001 && /size exceeded/i.test(text)) return TOO_LARGE;
  if (code === 40013 && /cannot find broker/i.test(text)) return BUSY;
  if (code === 40100 && /is not found/i.test(text)) return UNKNOWN_USER;
  return MEANINGS.get(code) ?? (code < FIRST_OF_ROCKETMQ ? BROKEN_OFF : OTHER);
}

function codeOf(error: unknown): number | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null;
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 500);
}
