import { createHash } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isConnectorFile, isTestFile, parseConnectorFile } from '../../core/connectors/connector-file.js';

export interface BootConnector {
  readonly file: string;
  readonly hash: string;
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface BootConnectors {
  readonly connectors: readonly BootConnector[];
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
}

/** Which content of each file this node has applied already. What the cluster has applied is in the replicated state. */
const RECORD = 'appliedConnectors.json';

/** A folder with more entries is surely not one of connectors. */
const MAX_ENTRIES = 10_000;
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The connectors of `connectorsDir` that are new, or whose file changed since it was applied. A file that did not
 * change is not applied again: what was changed or deleted over REST since then stays so. What is wrong with one file
 * is a problem of that file alone.
 */
export async function readBootConnectors(dir: string, storeDir: string): Promise<BootConnectors> {
  const problems: { file: string; reason: string }[] = [];
  const applied = await readApplied(storeDir);
  const connectors = new Map<string, BootConnector>();
  for (const file of await filesOf(dir, problems)) {
    try {
      const content = await readSmall(join(dir, file));
      const hash = createHash('sha256').update(content).digest('hex');
      const { name, config } = parseConnectorFile(file, content);
      const first = connectors.get(name);
      if (first !== undefined)
        throw new Error(`the connector ${name} is in ${first.file} already, which is used`);
      connectors.set(name, { file, hash, name, config });
    } catch (error) {
      problems.push({ file, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return {
    connectors: [...connectors.values()].filter(({ file, hash }) => applied.get(file) !== hash),
    problems,
  };
}

async function filesOf(
  dir: string,
  problems: { file: string; reason: string }[],
): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = (await readdir(dir)).sort();
    if (names.length > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} entries`);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    problems.push({ file: dir, reason: `the folder of connectorsDir cannot be read: ${cause}` });
    return [];
  }
  // Hidden ones are of editors and of mounts, as Kubernetes makes them.
  const shown = names.filter((name) => !name.startsWith('.'));
  for (const file of shown.filter((name) => !isConnectorFile(name) && !isTestFile(name)))
    problems.push({ file, reason: 'it is not read: the file of a connector ends in .json or .properties' });
  return shown.filter(isConnectorFile);
}

async function readSmall(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('it is no file');
  if (found.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
  return readFile(path, 'utf8');
}

/** After the connector is durable: a crash in between applies the same content again, which changes nothing. */
export async function rememberApplied(storeDir: string, connector: BootConnector): Promise<void> {
  const applied = await readApplied(storeDir);
  applied.set(connector.file, connector.hash);
  const path = join(storeDir, RECORD);
  await writeFile(`${path}.tmp`, `${JSON.stringify([...applied], null, 2)}\n`, { flush: true, mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

async function readApplied(storeDir: string): Promise<Map<string, string>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(storeDir, RECORD), 'utf8'));
    if (!Array.isArray(parsed)) return new Map();
    return new Map(parsed.filter(isPair));
  } catch {
    // Not there, or not readable: everything is applied again.
    return new Map();
  }
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string';
}
