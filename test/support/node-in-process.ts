import { join } from 'node:path';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { nodeTree } from '#troupe/supervisor/node-tree.js';
import { startSystem, type System } from '#troupe/supervisor/system.js';
import { RestClient } from './node-process.js';
import { freePort } from './ports.js';

/** A node whose threads are this process's, so that a test can end each of them. */
export interface InProcessNode {
  readonly system: System;
  readonly rest: RestClient;
  /** Why the root gave up, when it did. */
  readonly gaveUp: () => string | null;
}

export async function startInProcess(
  dir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<InProcessNode> {
  const port = await freePort();
  const all = {
    httpPort: String(port),
    storePathRootDir: join(dir, 'store'),
    connectorsDir: join(dir, 'connectors'),
    'plugins.installed.enable': 'false',
    ...settings,
  };
  const loaded = loadParameters({
    argv: Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    env: {},
    readFile: () => '',
    cwd: dir,
  });
  if (!loaded.ok || loaded.action !== 'run') throw new Error(JSON.stringify(loaded));
  let gaveUp: string | null = null;
  const system = startSystem(nodeTree(loaded.parameters, { version: 'test' }), {
    log: { level: 'warn', format: 'json', file: join(dir, 'node.log') },
    onGiveUp: (line) => {
      gaveUp = line;
    },
  });
  await system.started;
  return { system, rest: new RestClient(port), gaveUp: () => gaveUp };
}
