/** Failures of the remoting client, and what a server's answer means to a caller of the log. */
import { LogError, type LogErrorCode } from '../../log.js';
import { ResponseCode } from './codes.js';
import type { Answer } from './frame.js';

export class RemotingError extends LogError {
  /** What was asked for was certainly not done. False: the outcome is unknown. */
  readonly refused: boolean;
  /** Of the server's answer; null: there was none. */
  readonly responseCode: number | null;

  constructor(
    code: LogErrorCode,
    message: string,
    options: { refused: boolean; responseCode?: number; cause?: unknown },
  ) {
    super(code, message, options);
    this.refused = options.refused;
    this.responseCode = options.responseCode ?? null;
  }
}

interface Meaning {
  readonly code: LogErrorCode;
  readonly refused: boolean;
  readonly advice: string;
}

const refused = (code: LogErrorCode, advice: string): Meaning => ({ code, refused: true, advice });
const unknown = (code: LogErrorCode, advice: string): Meaning => ({ code, refused: false, advice });

const BUSY = refused('LOG_UNAVAILABLE', 'The broker is busy and took nothing: try again');
/** Stored, but less safely than the broker is set to store: a crash may lose it, so it does not count as appended. */
const NOT_DURABLE = unknown(
  'LOG_UNAVAILABLE',
  'The messages were taken, but not made durable in time; they may be lost. Look at the disk and the replicas of the broker, and try again',
);

/** Not retried by the client where it waits for somebody: a full disk, a missing right. */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [ResponseCode.SYSTEM_BUSY, BUSY],
  [ResponseCode.FLOW_CONTROL, BUSY],
  [ResponseCode.GO_AWAY, refused('LOG_UNAVAILABLE', 'The server is shutting down: try again')],
  [
    ResponseCode.NOT_LEADER_FOR_QUEUE,
    refused('LOG_UNAVAILABLE', 'Another broker leads the queue now: try again'),
  ],
  [ResponseCode.FLUSH_DISK_TIMEOUT, NOT_DURABLE],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, NOT_DURABLE],
  [ResponseCode.SLAVE_NOT_AVAILABLE, NOT_DURABLE],
  [
    ResponseCode.SERVICE_NOT_AVAILABLE,
    refused(
      'LOG_FULL',
      "The broker takes no messages; nothing was appended. Free space on its disk (or lower the broker's fileReservedTime), and it goes on",
    ),
  ],
  [
    ResponseCode.MESSAGE_ILLEGAL,
    refused('LOG_BAD_REQUEST', "Send less at once, or raise the broker's maxMessageSize"),
  ],
  [
    ResponseCode.NO_PERMISSION,
    refused('LOG_BAD_REQUEST', 'Grant it in the ACL of the cluster, or in the perm of the topic or broker'),
  ],
  [ResponseCode.TOPIC_NOT_EXIST, refused('LOG_UNKNOWN_TOPIC', 'Create the topic first')],
  [
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
    refused('LOG_BAD_REQUEST', 'Create the consumer group first, on every broker'),
  ],
  [ResponseCode.INVALID_PARAMETER, refused('LOG_BAD_REQUEST', 'Correct it')],
  [
    ResponseCode.REQUEST_CODE_NOT_SUPPORTED,
    refused(
      'LOG_BAD_REQUEST',
      'RocketMQ 5 is needed; check that the address is that of a broker or name server',
    ),
  ],
]);

/** For batches the broker says so with code 1, as for any mishap. */
const TOO_LARGE = /(body|message) size exceeded/;

/** `what` was tried, as in "cannot send to topic t". */
export function refusal(what: string, answer: Answer): RemotingError {
  const code = TOO_LARGE.test(answer.remark) ? ResponseCode.MESSAGE_ILLEGAL : answer.code;
  const meaning =
    MEANINGS.get(code) ?? unknown('LOG_IO', "See the server's own log for the cause, and try again");
  const remark = answer.remark === '' ? '' : `: ${firstLine(answer.remark)}`;
  return new RemotingError(
    meaning.code,
    `cannot ${what} (RocketMQ answers ${answer.code}${remark}). ${meaning.advice}`,
    { refused: meaning.refused, responseCode: answer.code },
  );
}

/** What follows is a link, or a stack trace. */
function firstLine(remark: string): string {
  return (remark.split('\n', 1)[0] ?? '').slice(0, 500);
}

export function malformed(what: string, cause?: unknown): RemotingError {
  return new RemotingError(
    'LOG_IO',
    `cannot ${what}: the answer is not what RocketMQ answers. Check that the address is that of a RocketMQ 5 server`,
    { refused: false, cause },
  );
}
