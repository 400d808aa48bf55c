import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameProblem } from '../../core/connectors/connector-name.js';

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

/**
 * The connectors of `connectorsDir` that are new, or whose file changed since it was applied. A file that did not
 * change is not applied again: what was changed or deleted over REST since then stays so.
 */
export async function readBootConnectors(dir: string, storeDir: string): Promise<BootConnectors> {
  const names = await readdir(dir).catch(() => []);
  const applied = await readApplied(storeDir);
  const connectors: BootConnector[] = [];
  const problems: { file: string; reason: string }[] = [];
  for (const file of names.filter((name) => name.endsWith('.json')).sort()) {
    const content = await readFile(join(dir, file), 'utf8');
    const hash = createHash('sha256').update(content).digest('hex');
    if (applied.get(file) === hash) continue;
    try {
      connectors.push({ file, hash, ...parseConnector(content) });
    } catch (error) {
      problems.push({ file, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { connectors, problems };
}

/** After the connector is durable: a crash in between applies the same content again, which changes nothing. */
export async function rememberApplied(storeDir: string, connector: BootConnector): Promise<void> {
  const applied = await readApplied(storeDir);
  applied.set(connector.file, connector.hash);
  const path = join(storeDir, RECORD);
  await writeFile(`${path}.tmp`, `${JSON.stringify([...applied], null, 2)}\n`, { flush: true });
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

function parseConnector(content: string): { name: string; config: Record<string, string> } {
  const parsed: unknown = JSON.parse(content);
  if (!isObject(parsed) || typeof parsed['name'] !== 'string' || !isObject(parsed['config'])) {
    throw new Error('it must hold {"name": "…", "config": {"key": "value", …}}');
  }
  const name = parsed['name'].trim();
  const problem = nameProblem(name);
  if (problem !== null) throw new Error(`the connector name ${problem}`);
  const config: Record<string, string> = {};
  for (const [key, value] of Object.entries(parsed['config'])) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw new Error(`the value of ${key} must be a string, a number or a boolean`);
    }
    Object.defineProperty(config, key, {
      value: String(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return { name, config };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
