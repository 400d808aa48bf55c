import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** A temporary folder that goes with the test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'troupe-plugins-'));
  t.after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A package with the manifest and the modules. */
export function writePackage(
  path: string,
  plugins: unknown,
  modules: Readonly<Record<string, string>> = {},
): void {
  write(
    join(path, 'package.json'),
    JSON.stringify({ name: 'p', version: '3.2.1', type: 'module', troupe: { plugins } }),
  );
  for (const [name, text] of Object.entries(modules)) write(join(path, name), text);
}

export const PREDICATE = `export default { type: 'predicate', plugin: { version: '1', config: [], create: () => ({ test: () => true }) } };`;
