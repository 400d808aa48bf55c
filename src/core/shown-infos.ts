import type { ConfigInfos } from './config-infos.js';
import { replaceSecrets, type Config } from './secret-references.js';

/** An answer of validation that was made from secrets, as it may be shown: with the references as they were written. */
export function withoutSecrets(
  infos: ConfigInfos,
  written: Config,
  secrets: ReadonlyMap<string, string>,
): ConfigInfos {
  if (secrets.size === 0) return infos;
  const shown = (text: string): string => replaceSecrets(text, secrets);
  return {
    ...infos,
    name: shown(infos.name),
    issues: infos.issues.map(({ field, value, reason }) => ({
      field,
      value: value === null ? null : shown(value),
      reason: shown(reason),
    })),
    configs: infos.configs.map(({ definition, value: info }) => {
      const own = Object.hasOwn(written, info.name) ? written[info.name] : undefined;
      const hidden = info.value === null || info.value === '[hidden]';
      const value = hidden ? info.value : (own ?? shown(info.value));
      return { definition, value: { ...info, value, errors: info.errors.map(shown) } };
    }),
  };
}
