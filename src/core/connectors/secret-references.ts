/** `${provider:key}` and `${provider:path:key}` in configurations, as in Kafka Connect. Others stay as they are. */

export interface SecretReference {
  /** As it is written. */
  readonly text: string;
  readonly provider: string;
  /** Empty where there is none. */
  readonly path: string;
  readonly key: string;
}

export type Config = Readonly<Record<string, string>>;

export interface ResolvedConfig {
  readonly config: Config;
  /** Each value that a reference stands for, with the reference's text. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly problems: readonly { readonly field: string; readonly value: string; readonly reason: string }[];
}

const REFERENCE = /\$\{([^{}:]+):(?:([^{}:]*):)?([^{}]*)\}/g;
const WHOLE = /^\$\{[^{}]+\}$/;
/** In log lines and errors: shorter ones stand in every second line by chance. */
export const MIN_SECRET = 4;
/** In task configs: a shorter text may stand in one by chance. */
const MIN_FOUND = 6;

/** `lookUp` answers null for a provider that there is not, and throws where there is no value. */
export function resolveReferences(
  config: Config,
  lookUp: (reference: SecretReference) => string | null,
): ResolvedConfig {
  const secrets = new Map<string, string>();
  const problems: ResolvedConfig['problems'][number][] = [];
  const resolve = (field: string, value: string): string =>
    value.replace(REFERENCE, (text, provider: string, path: string | undefined, key: string) => {
      try {
        const found = lookUp({ text, provider, path: path ?? '', key });
        if (found !== null && found !== '') secrets.set(found, text);
        return found ?? text;
      } catch (error) {
        problems.push({ field, value: text, reason: error instanceof Error ? error.message : String(error) });
        return text;
      }
    });
  const entries = Object.entries(config).map(([key, value]) => [key, resolve(key, value)] as const);
  return { config: Object.fromEntries(entries), secrets, problems };
}

/** Whether the value is a reference and nothing else. */
export function isReference(value: string): boolean {
  return WHOLE.test(value);
}

/** A task's config as it is kept: with the references again, where it holds what they stand for. */
export function withReferences(
  planned: Config,
  written: Config,
  { config, secrets }: ResolvedConfig,
): Config {
  const long = [...secrets].filter(([secret]) => secret.length >= MIN_FOUND);
  const restored = Object.entries(planned).map(([key, value]): [string, string] => {
    const same = Object.hasOwn(config, key) && config[key] === value ? written[key] : undefined;
    return [key, same ?? replaceSecrets(value, long)];
  });
  return Object.fromEntries(restored);
}

/** The longest first: one may be a part of another. */
export function replaceSecrets(text: string, secrets: Iterable<readonly [string, string]>): string {
  let replaced = text;
  for (const [secret, by] of [...secrets].sort(([a], [b]) => b.length - a.length))
    replaced = replaced.replaceAll(secret, () => by);
  return replaced;
}
