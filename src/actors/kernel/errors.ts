export type ActorErrorCode =
  'ACTOR_DOWN' | 'ASK_TIMEOUT' | 'ASK_ABORTED' | 'MAILBOX_FULL' | 'REMOTE_ERROR' | 'UNKNOWN_MESSAGE';

const RETRIABLE: ReadonlySet<ActorErrorCode> = new Set(['ACTOR_DOWN', 'ASK_TIMEOUT', 'MAILBOX_FULL']);

export interface ActorErrorOptions {
  readonly cause?: unknown;
  readonly remoteCode?: string;
  readonly retriable?: boolean;
}

/** A failed ask. For REMOTE_ERROR `remoteCode` is the code of the error that the handler threw, where it had one. */
export class ActorError extends Error {
  override readonly name = 'ActorError';
  readonly code: ActorErrorCode;
  readonly remoteCode: string | null;
  /** The same ask may succeed later. For REMOTE_ERROR: what the thrown error said of itself. */
  readonly retriable: boolean;
  constructor(code: ActorErrorCode, message: string, options: ActorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remoteCode = options.remoteCode ?? null;
    this.retriable = options.retriable ?? RETRIABLE.has(code);
  }
}
