/** At which of Kafka Connect's stages an error was thrown, kept beside the error so that no plugin's error is changed. */
export type Stage =
  | 'TASK_POLL'
  | 'TASK_PUT'
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'KAFKA_PRODUCE';

export interface FailedStage {
  readonly stage: Stage;
  /** Alias of the transform. */
  readonly alias?: string;
}

const stages = new WeakMap<object, FailedStage>();

/** The same error. */
export function failedAt<E>(error: E, stage: FailedStage): E {
  if (typeof error === 'object' && error !== null && !stages.has(error)) stages.set(error, stage);
  return error;
}

/** Null: nobody has said so. */
export function stageOf(error: unknown): FailedStage | null {
  return typeof error === 'object' && error !== null ? (stages.get(error) ?? null) : null;
}
