import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a plugin package of a compiled module of the tests; answers the folder for `pluginPaths`. */
export function pluginPackage(dir: string, entry: { class: string; type: string; module: string }): string {
  const folder = join(dir, 'plugins', entry.class);
  mkdirSync(folder, { recursive: true });
  const url = new URL(entry.module, import.meta.url).href;
  writeFileSync(join(folder, 'index.js'), `export { default } from ${JSON.stringify(url)};\n`);
  const manifest = {
    name: entry.class.toLowerCase(),
    version: '1.0.0',
    type: 'module',
    troupe: { plugins: [{ class: entry.class, type: entry.type, version: '1.0.0', module: 'index.js' }] },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  return join(dir, 'plugins');
}
