/** What somebody does who has packed files of Troupe and no checkout. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const execute = promisify(execFile);

/** A guard against hanging for ever. */
const PATIENCE_MS = 240_000;

/** A registry that is away is not waited for. */
const ONCE = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=1000'];

/** Runs a command and answers its output; throws with the output when it fails. */
export async function run(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  // `npm test` tells what it runs by variables that an npm of another folder would take for its own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|config_local_prefix)|^NODE_TEST_CONTEXT$/.test(name),
    ),
  );
  try {
    return (await execute(command, args, { cwd, env, timeout: PATIENCE_MS, maxBuffer: 1e8 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${[command, ...args].join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Packs what was built, as it is; answers the path of the file. */
export async function pack(folder: string, to: string): Promise<string> {
  // Without scripts: they would build anew, under the feet of other tests.
  const output = await run(folder, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', to);
  return join(to, output.trim().split('\n').at(-1) ?? '');
}

export function packTroupe(to: string): Promise<string> {
  return pack(root, to);
}

export function packSdk(to: string): Promise<string> {
  return pack(join(root, 'packages/sdk'), to);
}

/** Copies a folder of test/outside, without what an author has there; answers the copy. */
export function copyOutside(name: string, to: string): string {
  const folder = join(to, name);
  const filter = (path: string): boolean => !/[\\/](dist|node_modules)$/.test(path);
  cpSync(join(root, 'test/outside', name), folder, { recursive: true, filter });
  return folder;
}

/**
 * Installs packed files and packages of the registry, in the versions of the lock file, so that npm's cache may have them.
 * null, or why the registry cannot be reached.
 */
export async function install(
  folder: string,
  files: readonly string[],
  packages: readonly string[],
  options: readonly string[] = [],
): Promise<string | null> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  };
  const exact = packages.map((name) => `${name}@${lock.packages[`node_modules/${name}`]?.version ?? ''}`);
  try {
    await run(
      folder,
      'npm',
      'install',
      '--prefer-offline',
      '--no-save',
      ...ONCE,
      ...options,
      ...files,
      ...exact,
    );
    return null;
  } catch (error) {
    const unreachable = /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ENOTCACHED/;
    const [code] = unreachable.exec(String(error)) ?? [];
    if (code === undefined) throw error;
    return `npm's registry cannot be reached (${code})`;
  }
}

/** Unpacks Troupe as npm would install it, with the dependencies of this checkout; answers what its `bin` names. */
export async function unpackTroupe(file: string, to: string): Promise<string> {
  const folder = join(to, 'node_modules/troupe');
  mkdirSync(folder, { recursive: true });
  await run(folder, 'tar', '-xzf', file, '--strip-components=1');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  return join(folder, bin['troupe'] ?? '');
}
