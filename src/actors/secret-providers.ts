/** The config providers `env`, `file` and `dir`: what references stand for on this node. Nothing is allowed unless said so. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { listOf, object, optional, recordOf, text } from '../core/replica/json-shape.js';
import type { ProviderSetting } from '../core/parameters/provider-settings.js';
import { parseProperties } from '../core/parameters/properties-file.js';
import {
  resolveReferences,
  type Config,
  type ResolvedConfig,
  type SecretReference,
} from '../core/connectors/secret-references.js';
import { isInScope, matches, parseScope, type SecretScope } from '../core/secret-scopes.js';
import { ConnectError } from '../sdk/errors.js';

export interface SecretProviders {
  /** Names of variables; one that ends in `*` stands for all that begin so. */
  readonly env: readonly string[];
  /** Files must be in one of these folders, or below. */
  readonly folders: readonly string[];
  /** `config.providers.scopes`. */
  readonly scopes: readonly string[];
  /** Default: none. */
  readonly plugins?: readonly ProviderSetting[];
}

export const isSecretProviders = object<SecretProviders>({
  env: listOf(text),
  folders: listOf(text),
  scopes: listOf(text),
  plugins: optional(
    listOf(object<ProviderSetting>({ name: text, pluginClass: text, params: recordOf(text) })),
  ),
});

const MAX_FILE_BYTES = 1024 * 1024;

/** Reads anew each time: what a file holds may have been changed. */
export function resolveSecrets(
  connector: string,
  config: Config,
  providers: SecretProviders,
  fromPlugin: (reference: SecretReference) => string | null = () => null,
): ResolvedConfig {
  const checkScope = scopeCheck(connector, providers);
  return resolveReferences(config, (reference) => {
    if (reference.provider === 'env') return fromEnvironment(reference, providers.env, checkScope);
    if (reference.provider === 'file') return fromFile(reference, providers.folders, checkScope);
    if (reference.provider === 'dir') return fromFolder(reference, providers.folders, checkScope);
    return fromPlugin(reference);
  });
}

/** Throws where a scope keeps it for other connectors. */
export function scopeCheck(connector: string, providers: SecretProviders): CheckScope {
  const scopes = providers.scopes
    .map(parseScope)
    .filter((scope) => scope !== null)
    .flatMap(behindLinks);
  return (provider, used) => {
    if (isInScope(scopes, connector, provider, used)) return;
    throw new Error('may not be used by this connector: config.providers.scopes keeps it for others');
  };
}

/** The files whose content it refers to. */
export function referencedFiles(config: Config): readonly string[] {
  const files = new Set<string>();
  resolveReferences(config, ({ provider, path, key }) => {
    if (provider === 'file') files.add(resolve(path));
    if (provider === 'dir') files.add(join(resolve(path), key));
    return null;
  });
  return [...files];
}

/** A folder that a scope names may be a link, and its files be reached without it. */
function behindLinks(scope: SecretScope): readonly SecretScope[] {
  if (scope.provider !== 'file') return [scope];
  try {
    return [scope, { ...scope, of: realpathSync(scope.of) }];
  } catch {
    // Not there: nothing can be read from it either.
    return [scope];
  }
}

type CheckScope = (provider: SecretScope['provider'], used: string) => void;

/** CONFIG_REFERENCE: some reference stands for nothing here. Another try may help: a file may come to be there. */
export function checkResolved({ problems }: ResolvedConfig): void {
  if (problems.length === 0) return;
  const message = problems.map(({ field, value, reason }) => `${field}: ${value} ${reason}`).join('\n');
  throw new ConnectError(message, { code: 'CONFIG_REFERENCE' });
}

function fromEnvironment(
  { path, key }: SecretReference,
  allowed: readonly string[],
  checkScope: CheckScope,
): string {
  const name = path === '' ? key : `${path}:${key}`;
  const may = allowed.some((each) => matches(each, name));
  if (!may) throw new Error(`may not be used on this node: allow ${name} in config.providers.env.allow`);
  checkScope('env', name);
  const value = process.env[name];
  if (value === undefined) throw new Error(`is not there on this node: set the environment variable ${name}`);
  return value;
}

function fromFile(
  { path, key }: SecretReference,
  folders: readonly string[],
  checkScope: CheckScope,
): string {
  const { entries } = parseProperties(readAllowed(path, resolve(path), folders, checkScope));
  const found = entries.find((entry) => entry.key === key);
  if (found === undefined) throw new Error(`is not there on this node: ${path} has no key ${key}`);
  return found.value;
}

/** The whole file, as it is; as where an orchestrator mounts a file for each secret. */
function fromFolder(
  { path, key }: SecretReference,
  folders: readonly string[],
  checkScope: CheckScope,
): string {
  if (basename(key) !== key || key === '' || key === '..')
    throw new Error(`may not be used on this node: ${key} is to be the name of a file in ${path}`);
  return readAllowed(path, join(resolve(path), key), folders, checkScope);
}

function readAllowed(path: string, file: string, folders: readonly string[], checkScope: CheckScope): string {
  if (!isAbsolute(path) || !folders.some((folder) => isWithin(resolve(folder), file)))
    throw new Error(
      `may not be used on this node: give the absolute path of a file below config.providers.file.paths`,
    );
  checkScope('file', file);
  return read(file, folders, checkScope);
}

/** Looked at again behind its links: one inside a folder may lead out of it. */
function read(file: string, folders: readonly string[], checkScope: CheckScope): string {
  let real: string;
  let content: string | null = null;
  try {
    real = realpathSync(file);
    const allowed = folders.map((folder) => realpathSync(folder)).some((folder) => isWithin(folder, real));
    const stat = statSync(real);
    if (allowed && stat.isFile() && stat.size <= MAX_FILE_BYTES) content = readFileSync(real, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new Error(`is not there on this node: ${file} cannot be read (${code})`, { cause: error });
  }
  checkScope('file', real);
  if (content === null)
    throw new Error(`may not be used on this node: ${file} is no file of at most 1 MiB in an allowed folder`);
  return content;
}

function isWithin(folder: string, file: string): boolean {
  const way = relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
