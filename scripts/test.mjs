/**
 * Runs the compiled tests, of Troupe and of the packages in it, with Node's test runner: `npm test`, or `npm test --
 * unit/kernel file-sink` for the test files whose path holds one of the words, and `npm test -- -rocketmq` for those
 * whose path does not hold it. Goes by the sources, so that a compiled test whose source is gone is not run.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A guard against hanging for ever, not a measure. Node 20 applies it to a whole file, later ones to each test. */
const TIMEOUT_MS = Number(process.env.TEST_TIMEOUT_MS ?? 600_000);

/** Several tests start processes and threads of their own: more at once would only make them wait for each other. */
const CONCURRENCY = Math.min(4, availableParallelism());

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const leftOut = process.argv.slice(2).flatMap((word) => (word.startsWith('-') ? [word.slice(1)] : []));
const files = ['', ...workspaces()]
  .flatMap((folder) => testsOf(folder))
  .filter(({ source }) => words.length === 0 || words.some((word) => source.includes(word)))
  .filter(({ source }) => !leftOut.some((word) => source.includes(word)))
  .map(({ compiled }) => compiled)
  .sort();

const missing = files.filter((file) => !existsSync(join(root, file)));
if (files.length === 0) fail(`No test file matches: ${words.join(' ')}`);
else if (missing.length > 0) fail(`Not compiled (npm run build:all): ${missing.join(' ')}`);
else run();

/** Folders of packages, with a slash at the end. */
function workspaces() {
  return ['packages', 'connectors'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}/`),
  );
}

/** Each compiles its tests to its own dist. */
function testsOf(folder) {
  if (!existsSync(join(root, folder, 'test'))) return [];
  return readdirSync(join(root, folder, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => ({
      source: `${folder}test/${name}`,
      compiled: `${folder}dist/test/${name.replace(/\.ts$/, '.js')}`,
    }));
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

function run() {
  console.log(`${files.length} test files, Node ${process.version}, ${CONCURRENCY} at once`);
  const options = [
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
  ];
  const runner = spawn(process.execPath, ['--enable-source-maps', ...options, ...files], {
    cwd: root,
    stdio: 'inherit',
  });
  // The terminal's own Ctrl-C reaches the runner as well; a signal sent to this process alone does not.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => runner.kill(signal));
  runner.on('error', (error) => fail(error.message));
  runner.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal !== null) console.error(`The test runner was ended by ${signal}.`);
  });
}
