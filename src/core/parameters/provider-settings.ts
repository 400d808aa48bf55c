/** `config.providers.NAME.class` and `config.providers.NAME.param.…`: of the config providers that are plugins. */
export interface ProviderSetting {
  readonly name: string;
  readonly pluginClass: string;
  readonly params: Readonly<Record<string, string>>;
}

const KEY = /^config\.providers\.([A-Za-z][A-Za-z0-9_-]*)\.(?:(class)|param\.(.+))$/;
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
/** Those of the node itself, by the classes that they have in Kafka. */
const OWN: ReadonlyMap<string, string> = new Map([
  ['env', 'EnvVarConfigProvider'],
  ['file', 'FileConfigProvider'],
  ['dir', 'DirectoryConfigProvider'],
]);

export function isProviderKey(key: string): boolean {
  return KEY.test(key);
}

/** Its values are secrets: a token, for example. */
export function isProviderParam(key: string): boolean {
  return KEY.exec(key)?.[3] !== undefined;
}

/** `given`: by their keys. What is wrong is told in `errors`, without values. */
export function providerSettings(
  names: readonly string[],
  given: ReadonlyMap<string, string>,
  errors: string[],
): readonly ProviderSetting[] {
  const wrong = (message: string): void => void errors.push(`BAD_PARAMETER: ${message}`);
  const classes = new Map<string, string>();
  const params = new Map<string, Map<string, string>>();
  for (const [key, text] of given) {
    const [, name = '', isClass, param] = KEY.exec(key) ?? [];
    if (!names.includes(name)) wrong(`${key} is given, and config.providers does not name ${name}`);
    else if (isClass !== undefined) classes.set(name, text.trim());
    else if (param !== undefined)
      params.set(name, (params.get(name) ?? new Map<string, string>()).set(param, text));
  }
  const settings: ProviderSetting[] = [];
  for (const name of new Set(names)) {
    const pluginClass = classes.get(name) ?? '';
    const simple = pluginClass.slice(pluginClass.lastIndexOf('.') + 1);
    const own = [...OWN].find(([, ownClass]) => ownClass === simple)?.[0];
    if (!NAME.test(name))
      wrong(`config.providers names "${name.slice(0, 100)}": letters, digits, _ and - are allowed`);
    else if (OWN.has(name) || own !== undefined) {
      if (own !== undefined && own !== name)
        wrong(
          `config.providers.${name}.class is the provider of the node itself, whose name is ${own}: refer to it by that`,
        );
      else if (own === undefined && pluginClass !== '')
        wrong(
          `config.providers names ${name}, which is a provider of the node itself: give the plugin another name`,
        );
      else if (params.has(name))
        wrong(
          `config.providers.${name}.param.… has no meaning here: see config.providers.env.allow and config.providers.file.paths`,
        );
    } else if (pluginClass === '')
      wrong(`config.providers names ${name}: give config.providers.${name}.class, too`);
    else settings.push({ name, pluginClass, params: Object.fromEntries(params.get(name) ?? []) });
  }
  return settings;
}
