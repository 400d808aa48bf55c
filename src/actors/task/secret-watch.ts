import { stat } from 'node:fs/promises';
import { rememberSecrets } from '../kernel/known-secrets.js';
import type { PluginSecrets } from '../plugin-secrets.js';
import { referencedFiles } from '../secret-providers.js';
import { parseUnitKey } from '../../core/model.js';
import { untilWholeSecondMs } from '../kernel/whole-seconds.js';
import type { TaskActorContext } from './parts.js';

const LOOK_MS = 5000;
/** A file may be read while it is written: what it says counts when it says so twice. */
const AGAIN_MS = 500;

export interface SecretWatchParts {
  readonly context: Pick<TaskActorContext, 'log' | 'passivate' | 'signal' | 'params'>;
  /** With its references. */
  readonly written: Readonly<Record<string, string>>;
  readonly secrets: PluginSecrets;
  /** Default: five seconds. */
  readonly lookMs?: number;
  readonly againMs?: number;
  /** Another config runs from then on. */
  readonly over?: AbortSignal;
}

/** The files, and what plugins provide, of the config that runs. */
export class SecretWatcher {
  readonly #context: SecretWatchParts['context'];
  readonly #secrets: PluginSecrets;
  #over: AbortController | null = null;

  constructor(context: SecretWatchParts['context'], secrets: PluginSecrets) {
    this.#context = context;
    this.#secrets = secrets;
  }

  /** `config`: with its references resolved, as it runs. */
  watch(written: SecretWatchParts['written'], config: SecretWatchParts['written']): void {
    this.#over?.abort();
    this.#over = new AbortController();
    const context = { ...this.#context, params: { ...this.#context.params, config } };
    watchSecrets({ context, written, secrets: this.#secrets, over: this.#over.signal });
  }

  /** Unless one that was taken over is watched already. */
  begin(written: SecretWatchParts['written'], config: SecretWatchParts['written']): void {
    if (this.#over === null) this.watch(written, config);
  }
}

/**
 * Where the files that the task's configuration refers to, or its providers, say something else, the task ends in order and is started anew with
 * that. By looking: a network's file system, and a volume of Kubernetes, report no changes.
 */
export function watchSecrets({
  context,
  written,
  secrets,
  lookMs,
  againMs = AGAIN_MS,
  over,
}: SecretWatchParts): void {
  const { log, params, signal } = context;
  const files = referencedFiles(written);
  if (
    (files.length === 0 && !secrets.isReferredTo(written)) ||
    params.config['config.action.reload'] === 'none'
  )
    return;
  const running = valuesOf(params.config);
  let known: string | null = null;
  let before: string | null = null;
  let said: string | null = null;
  let refreshAt: number | null = null;

  /** Answers when to look again; null: not any more. */
  const look = async (): Promise<number | null> => {
    const found = await stateOf(files);
    const isDue = refreshAt !== null && performance.now() >= refreshAt;
    if (found === known && !isDue) return lookMs ?? LOOK_MS - 1000 + untilWholeSecondMs();
    const { connector } = parseUnitKey(params.unit);
    const resolved = await secrets.resolve(connector, written);
    const { config, problems } = resolved;
    rememberSecrets(resolved.secrets.keys());
    refreshAt = resolved.refreshAt;
    if (problems.length > 0) {
      // Of what was not there nobody has said when to ask again.
      refreshAt = performance.now() + (lookMs ?? LOOK_MS);
      const { field, value, reason } = problems[0] ?? {};
      if (said !== reason)
        log.warn({ field, value, reason }, 'a secret cannot be read: the task goes on with that it has');
      said = reason ?? null;
      return lookMs ?? LOOK_MS;
    }
    said = null;
    const now = valuesOf(config);
    if (now === running) {
      known = found;
      before = null;
      return lookMs ?? LOOK_MS;
    }
    if (over?.aborted === true) return null;
    if (now === before) {
      log.info({ files }, 'what the configuration refers to has changed: the task starts anew with it');
      context.passivate(null);
      return null;
    }
    before = now;
    return againMs;
  };

  const lookOn = (ms: number): void => {
    const timer = setTimeout(() => {
      void look().then((next) => {
        if (next !== null && !signal.aborted && over?.aborted !== true) lookOn(next);
      });
    }, ms).unref();
    for (const end of [signal, over])
      end?.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
        },
        { once: true },
      );
  };
  lookOn(0);
}

function valuesOf(config: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(config).sort());
}

/** Which files there are, and of when: read only where that has changed. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => null);
      return found === null ? 'none' : `${found.ino} ${found.mtimeMs} ${found.size}`;
    }),
  );
  return states.join('\n');
}
