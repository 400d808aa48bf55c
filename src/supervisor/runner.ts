import type { ExitReason, TreeNode } from '../actors/kernel/protocol.js';

/** One run of a child: an actor's thread, or a whole supervisor. */
export interface Runner {
  /** Asks for an orderly end; `exited` follows, within the child's own deadlines. Safe to repeat. */
  stop(): void;
  describe(): RunnerFigures;
}

/** Called from a later turn than the one that made the runner or stopped it. `exited` is the last, and comes once. */
export interface RunnerEvents {
  readonly started: () => void;
  readonly stopping: () => void;
  /** It was ended, but its thread is held in native code: `exited` comes when that returns, or never. */
  readonly stuck: (reason: ExitReason) => void;
  /** `memo`: what an actor has left that is passive. */
  readonly exited: (reason: ExitReason, memo?: unknown) => void;
}

export type RunnerFigures = Pick<
  TreeNode,
  | 'threadId'
  | 'heapUsedBytes'
  | 'heapLimitBytes'
  | 'externalBytes'
  | 'poolCalls'
  | 'eventLoopUse'
  | 'mailbox'
  | 'children'
  | 'strategy'
>;
