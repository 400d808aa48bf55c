/** A node: read the parameters, start the tree, forward signals. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LogLevels } from './actors/kernel/log-levels.js';
import { createLogger } from './actors/kernel/logging.js';
import type { ActorLogger } from './actors/kernel/protocol.js';
import { loadParameters, type Parameters } from './core/parameters/parameters.js';
import { restUrl } from './core/cluster/rest-url.js';
import { choosePort } from './supervisor/free-port.js';
import { lockInstance } from './supervisor/instance-lock.js';
import { makeFolder } from './supervisor/make-folder.js';
import { nodeTree, storeFolder, taskSpares } from './supervisor/node-tree.js';
import { memoryLimitBytes } from './supervisor/memory-watch.js';
import { poolAnswers, poolSize } from './supervisor/pool-watch.js';
import { closeToOthers } from './supervisor/private-files.js';
import { withRoom } from './supervisor/room-to-start.js';
import { pathProblem, StartError } from './supervisor/start-error.js';
import { SUPERVISOR_LOGGER } from './supervisor/loggers.js';
import { levelOf, startSystem } from './supervisor/system.js';
import { treeText } from './http/tree-text.js';

/** A parameter that cannot be used. */
const EXIT_USAGE = 2;
const EXIT_FAILED = 1;
const POOL_PATIENCE_MS = 2000;

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

/** Before the first line: what cannot be logged would else be said nowhere. */
function checkLogFile(path: string): void {
  try {
    makeFolder(dirname(path));
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw pathProblem('LOG_FILE_UNUSABLE', 'log.file', path, 'cannot be written', error);
  }
}

async function run(given: Parameters, configFile: string | null, shown: readonly string[]): Promise<void> {
  if (given.logFile !== null) checkLogFile(given.logFile);
  const store = given.namesrvAddr === null ? storeFolder(given) : null;
  // With a log in RocketMQ the nodes of a cluster share no folder.
  const unlock = withRoom(store, () =>
    lockInstance({ workerId: given.workerId, ownFolder: given.storePathRootDir, sharedFolder: store }),
  );
  try {
    const httpPort = await choosePort(given.httpHost, given.httpPort);
    await runLocked({ ...given, httpPort }, configFile, shown, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function runLocked(
  parameters: Parameters,
  configFile: string | null,
  shown: readonly string[],
  unlock: () => void,
): Promise<void> {
  const logging = {
    level: parameters.logLevel,
    format:
      parameters.logFormat === 'auto' ? (process.stdout.isTTY ? 'pretty' : 'json') : parameters.logFormat,
    file: parameters.logFile,
  } as const;
  const levels = new LogLevels(levelOf(logging));
  const log = createLogger({
    ...logging,
    levels: levels.memory,
    names: [SUPERVISOR_LOGGER],
    bindings: { actor: 'supervisor' },
  });
  log.info({ file: configFile ?? 'none', set: shown.join(' ') }, 'Stage 1 of 3, parameters: read');
  if (process.env['UV_THREADPOOL_SIZE'] === undefined) {
    log.warn(
      { threads: poolSize() },
      'the thread pool has the size that Node gives it, so a few calls that plugins wait in can stop the node: start dist/supervisor.cjs, or set UV_THREADPOOL_SIZE to 64 in the environment',
    );
  }
  log.info({ log: parameters.namesrvAddr ?? storeFolder(parameters) }, 'Stage 2 of 3, services: starting');

  if (process.platform !== 'win32') sayClosed(log, parameters);

  let stopping = false;
  let ended: (code: number) => void = () => undefined;
  const end = new Promise<number>((resolve) => {
    ended = resolve;
  });
  const spares = taskSpares(parameters);
  const system = startSystem(nodeTree(parameters, { version: version(), commit: commit(), configFile }), {
    log: { ...logging, bindings: {} },
    levels,
    memoryLimitBytes: memoryLimitBytes(parameters.nodeMemoryMaxMb),
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
  // A call that a plugin left in the pool holds up the end of the process just so.
  const held = [...stuck, ...((await poolAnswers(POOL_PATIENCE_MS)) ? [] : ['the thread pool'])];
  if (held.length > 0) endByForce(log, held);
  log.info({}, 'stopped');
  process.exitCode = code;
}

function sayClosed(log: ActorLogger, parameters: Parameters): void {
  const logFolder = parameters.namesrvAddr === null ? storeFolder(parameters) : null;
  const { closed, open } = closeToOthers(parameters.storePathRootDir, logFolder);
  if (closed.length > 0)
    log.warn(
      { files: closed },
      'other users of this machine could read files of this node, which may hold passwords; now only its own user can',
    );
  if (open.length > 0)
    log.warn(
      { files: open },
      'files of this node may be read by other users, hold passwords perhaps, and cannot be closed to them: see who owns them',
    );
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
  const text = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : '';
  process.stderr.write(`${text.startsWith(code) ? '' : code}${text}\n`);
  process.exitCode = error instanceof StartError && error.isUsage ? EXIT_USAGE : EXIT_FAILED;
});
