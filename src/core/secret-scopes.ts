/**
 * `config.providers.scopes`: which connectors may use a variable or a file, as `orders-*=env:ORDERS_*` or
 * `orders-*=file:/etc/troupe/orders`. What no scope names is for all connectors.
 */
export interface SecretScope {
  /** A connector's name; one that ends in `*` stands for all that begin so. */
  readonly connector: string;
  readonly provider: 'env' | 'file';
  /** A variable, with `*` as above; or the absolute path of a file, or of a folder for all below. */
  readonly of: string;
}

const FORM = /^([^=]+)=(env|file):(.+)$/;

/** null: it is not of that form. */
export function parseScope(text: string): SecretScope | null {
  const [, connector = '', provider, of = ''] = FORM.exec(text) ?? [];
  if (provider !== 'env' && provider !== 'file') return null;
  if (provider === 'file' && !of.startsWith('/')) return null;
  const path = provider === 'file' && of.length > 1 ? of.replace(/\/+$/, '') : of;
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
  return provider === 'env' ? matches(of, used) : used === of || used.startsWith(`${of}/`);
}

/** `pattern` may end in `*`. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
