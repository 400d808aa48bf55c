/**
 * `config.providers.scopes`: which connectors may use a variable or a file, as `orders-*=env:ORDERS_*` or
 * `orders-*=file:/etc/troupe/orders`. What no scope names is for all connectors.
 */
export interface SecretScope {
  /** A connector's name; one that ends in `*` stands for all that begin so. */
  readonly connector: string;
  /** env, file, or the name of a plugin's in `config.providers`. */
  readonly provider: string;
  /**
   * A variable, with `*` as above; the absolute path of a file, or of a folder for all below; or of a plugin's `path:key` with `*` as
   * above, or a path for all in it.
   */
  readonly of: string;
}

const FORM = /^([^=]+)=([A-Za-z][\w-]*):(.+)$/;

/** null: it is not of that form. */
export function parseScope(text: string): SecretScope | null {
  const [, connector = '', provider, of = ''] = FORM.exec(text) ?? [];
  if (provider === undefined) return null;
  if (provider === 'file' && !of.startsWith('/')) return null;
  if (provider === 'file')
    return { connector: connector.trim(), provider, of: of.length > 1 ? of.replace(/\/+$/, '') : of };
  // A plugin's paths are compared without the slashes around them.
  const path = provider === 'env' ? of : of.replace(/^\/+|\/+$/g, '');
  return { connector: connector.trim(), provider, of: path };
}

/** Whether the connector may use it: none of the scopes names it, or one of those that do is the connector's. */
export function isInScope(
  scopes: readonly SecretScope[],
  connector: string,
  provider: SecretScope['provider'],
  used: string,
): boolean {
  const naming = scopes.filter((scope) => scope.provider === provider && covers(scope, used));
  return naming.length === 0 || naming.some((scope) => matches(scope.connector, connector));
}

function covers({ provider, of }: SecretScope, used: string): boolean {
  if (provider === 'env') return matches(of, used);
  if (provider === 'file') return used === of || used.startsWith(`${of}/`);
  return matches(of, used) || used.startsWith(`${of}:`) || used.startsWith(`${of}/`);
}

/** `pattern` may end in `*`. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
