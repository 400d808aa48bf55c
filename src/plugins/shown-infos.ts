import type { ConfigInfos } from './config-infos.js';
import { MIN_SECRET, replaceSecrets, type Config } from '../core/connectors/secret-references.js';

/**
 * An answer of validation that was made from secrets, as it may be shown: with the references as they were written, and
 * without the passwords in what plugins say.
 */
export function withoutSecrets(
  infos: ConfigInfos,
  written: Config,
  secrets: ReadonlyMap<string, string>,
  passwords: readonly string[],
): ConfigInfos {
  if (secrets.size === 0 && passwords.length === 0) return infos;
  const shown = (text: string): string => replaceSecrets(text, secrets);
  const hidden = passwords.map((password): [string, string] => [password, '[hidden]']);
  const told = [...new Map([...hidden, ...secrets])].filter(([secret]) => secret.length >= MIN_SECRET);
  const said = (text: string): string => replaceSecrets(text, told);
  return {
    ...infos,
    name: shown(infos.name),
    issues: infos.issues.map(({ field, value, reason }) => ({
      field,
      value: value === null ? null : said(value),
      reason: said(reason),
    })),
    configs: infos.configs.map(({ definition, value: info }) => {
      const own = Object.hasOwn(written, info.name) ? written[info.name] : undefined;
      const kept = info.value === null || info.value === '[hidden]';
      const value = kept ? info.value : (own ?? shown(info.value));
      return { definition, value: { ...info, value, errors: info.errors.map(said) } };
    }),
  };
}
