#!/usr/bin/env node
/**
 * The file that `node` is given, as dist/supervisor.js: a link to this one, made by scripts/link-entry.mjs. It is CommonJS
 * since Node reads ES modules by the thread pool of libuv, whose size is settled at its first use.
 */
const MIN_MAJOR = 20;
const MIN_MINOR = 15;
/** The pool is one for all threads of the process: a few calls that plugins wait in must not be all that it has. */
const POOL_THREADS = '64';

const node = process.versions.node;
const [major = 0, minor = 0] = node.split('.').map(Number);
if (major < MIN_MAJOR || (major === MIN_MAJOR && minor < MIN_MINOR)) {
  process.stderr.write(
    `NODE_TOO_OLD: this is Node ${node}, and Troupe needs ${MIN_MAJOR}.${MIN_MINOR} or newer\n`,
  );
  process.exitCode = 2;
} else {
  if (process.env['UV_THREADPOOL_SIZE'] === undefined) process.env['UV_THREADPOOL_SIZE'] = POOL_THREADS;
  void import('./main.js');
}
