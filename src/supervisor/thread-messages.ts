import { SYSTEM_METHODS, type FromThread, type SystemMethod } from '../actors/kernel/control.js';
import { isMetricsMemory } from '../actors/kernel/metrics-chunk.js';
import { isWireError } from '../actors/kernel/wire-error.js';

/** What arrives from another thread is judged by its shape. Null: not a message. */
export function parseFromThread(raw: unknown): FromThread | null {
  if (typeof raw !== 'object' || raw === null || !('type' in raw)) return null;
  const message: Partial<Record<string, unknown>> = { ...raw };
  switch (raw.type) {
    case 'started':
    case 'finished':
    case 'stopped':
      return { type: raw.type };
    case 'passivate':
      return { type: 'passivate', memo: message['memo'] };
    case 'code': {
      const { compiled } = message;
      return compiled instanceof SharedArrayBuffer ? { type: 'code', compiled } : null;
    }
    case 'failed': {
      const { during, error } = message;
      if ((during !== 'start' && during !== 'run' && during !== 'stop') || !isWireError(error)) return null;
      return { type: 'failed', during, error };
    }
    case 'call': {
      const { call, method, args } = message;
      if (typeof call !== 'number' || !isMethod(method) || !Array.isArray(args)) return null;
      return { type: 'call', call, method, args };
    }
    case 'watch':
      return typeof message['supervisor'] === 'string'
        ? { type: 'watch', supervisor: message['supervisor'] }
        : null;
    case 'metrics':
      return isMetricsMemory(message['memory']) ? { type: 'metrics', memory: message['memory'] } : null;
    case 'shutdown':
      return typeof message['reason'] === 'string' ? { type: 'shutdown', reason: message['reason'] } : null;
    default:
      return null;
  }
}

function isMethod(value: unknown): value is SystemMethod {
  return SYSTEM_METHODS.some((method) => method === value);
}
