import type { Backoff } from './backoff.js';

/** How often, and how soon, a task that fails is started again. */
export interface TaskRestarts {
  readonly intensity: { readonly restarts: number; readonly periodMs: number };
  readonly backoff: Backoff;
}

/** A connector's own, where it has some; what is no number was refused when it was made. The longest wait is never below the first. */
export function taskRestarts(
  { intensity, backoff }: TaskRestarts,
  config: Readonly<Record<string, string>>,
): TaskRestarts {
  const own = (key: string): number | null => {
    const text = config[`task.restart.${key}`];
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
  };
  const maxMs = own('backoff.max.ms');
  const minMs = own('backoff.min.ms') ?? (maxMs === null ? backoff.minMs : Math.min(backoff.minMs, maxMs));
  return {
    intensity: {
      restarts: own('max') ?? intensity.restarts,
      periodMs: own('period.ms') ?? intensity.periodMs,
    },
    backoff: { ...backoff, minMs, maxMs: Math.max(minMs, maxMs ?? backoff.maxMs) },
  };
}
