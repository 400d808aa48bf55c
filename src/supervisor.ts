/** A node: read the parameters, start the tree, forward signals. */
import { readFileSync } from 'node:fs';
import { createLogger } from './actors/kernel/logging.js';
import type { ActorLogger } from './actors/kernel/protocol.js';
import { loadParameters, type Parameters } from './core/parameters/parameters.js';
import { restUrl } from './core/cluster/rest-url.js';
import { choosePort } from './supervisor/free-port.js';
import { lockInstance } from './supervisor/instance-lock.js';
import { nodeTree, storeFolder, taskSpares } from './supervisor/node-tree.js';
import { startSystem } from './supervisor/system.js';
import { treeText } from './http/tree-text.js';

/** A parameter that cannot be used. */
const EXIT_USAGE = 2;
const EXIT_FAILED = 1;

function version(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed
    ? String(parsed.version)
    : 'unknown';
}

/** Written by the build; see scripts/record-commit.mjs. */
function commit(): string {
  try {
    return readFileSync(new URL('./commit', import.meta.url), 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

async function main(): Promise<void> {
  const loaded = loadParameters({
    argv: process.argv.slice(2),
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    cwd: process.cwd(),
  });
  if (!loaded.ok) {
    for (const error of loaded.errors) process.stderr.write(`${error}\n`);
    process.exitCode = EXIT_USAGE;
  } else if (loaded.action === 'help') {
    process.stdout.write(loaded.text);
  } else if (loaded.action === 'version') {
    process.stdout.write(`${version()}\n`);
  } else {
    await run(
      loaded.parameters,
      loaded.configFile,
      loaded.given.map(({ key, text }) => `${key}=${text}`),
    );
  }
}

async function run(given: Parameters, configFile: string | null, shown: readonly string[]): Promise<void> {
  const parameters = { ...given, httpPort: await choosePort(given.httpHost, given.httpPort) };
  const logging = {
    level: parameters.logLevel,
    format:
      parameters.logFormat === 'auto' ? (process.stdout.isTTY ? 'pretty' : 'json') : parameters.logFormat,
    file: parameters.logFile,
  } as const;
  const log = createLogger({ ...logging, bindings: { actor: 'supervisor' } });
  log.info({ file: configFile ?? 'none', set: shown.join(' ') }, 'Stage 1 of 3, parameters: read');
  // With a log in RocketMQ the nodes of a cluster share no folder.
  const store = parameters.namesrvAddr === null ? storeFolder(parameters) : null;
  const unlock = lockInstance({
    workerId: parameters.workerId,
    ownFolder: parameters.storePathRootDir,
    sharedFolder: store,
  });
  log.info({ log: store ?? parameters.namesrvAddr }, 'Stage 2 of 3, services: starting');

  let stopping = false;
  let ended: (code: number) => void = () => undefined;
  const end = new Promise<number>((resolve) => {
    ended = resolve;
  });
  const spares = taskSpares(parameters);
  const system = startSystem(nodeTree(parameters, { version: version(), commit: commit(), configFile }), {
    log: { ...logging, bindings: {} },
    ...(spares === null ? {} : { spares }),
    onGiveUp: (line) => {
      log.error({}, line);
      ended(EXIT_FAILED);
    },
    onShutdown: (reason) => {
      log.error({}, `stopping: ${reason}`);
      ended(EXIT_FAILED);
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // npm passes Ctrl-C on as well, so it may come twice.
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log.info({}, `${signal}: stopping; records under way are finished first`);
      ended(0);
    });
  }
  process.on('SIGUSR2', () => {
    process.stderr.write(`${treeText(system.tree())}\n`);
  });

  const booted = system.started.then(() => {
    log.info(
      { rest: restUrl(parameters.httpHost, parameters.httpPort) },
      'Stage 3 of 3, run: connectors and tasks',
    );
    log.info({}, `The worker [${parameters.workerId}] boot success.`);
  });
  // Ended before: what ended it was told.
  booted.catch(() => undefined);
  const code = await end;
  const stuck = await system.stop(code === 0 ? 'signal' : 'failure');
  unlock();
  if (stuck.length > 0) endByForce(log, stuck);
  log.info({}, 'stopped');
  process.exitCode = code;
}

/** `process.exit` waits for every thread, and so for ever for one that is stuck in native code. */
function endByForce(log: ActorLogger, stuck: readonly string[]): never {
  log.error(
    {},
    `stopped, but for threads stuck in native code: the process kills itself (${stuck.join(', ')})`,
  );
  process.kill(process.pid, 'SIGKILL');
  // No signal that it sends itself ends the first process of a container.
  process.abort();
}

main().catch((error: unknown) => {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : '';
  process.stderr.write(`${code}${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = EXIT_FAILED;
});
