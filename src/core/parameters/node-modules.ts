import { basename, dirname, join } from 'node:path';

/** The node_modules that Troupe is installed in; of a checkout its own, where npm links the workspaces. */
export function nodeModulesOf(troupe: string): string {
  const parent = dirname(troupe);
  return basename(parent) === 'node_modules' ? parent : join(troupe, 'node_modules');
}
