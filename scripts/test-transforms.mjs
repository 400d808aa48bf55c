/**
 * `npm run test-transforms -- FILE…`: runs the tests that are written beside the configuration of a connector, without a node.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { discoverPlugins } from '../dist/plugins/discover.js';
import { InstalledPackages } from '../dist/plugins/installed.js';
import { connectorFilesOf, parseTransformTestFile } from '../dist/plugins/transform-test-files.js';
import { runTransformTests } from '../dist/plugins/transform-tests.js';

const USAGE = `npm run test-transforms -- [--plugins=FOLDER] FILE…

  FILE              orders.test.json: tests of the transforms of orders.json or orders.properties beside it, or {"config": …, "tests": […]}
  --plugins=FOLDER  with packages of plugins, as pluginPaths of a node; may be given several times

Ends with 0 when all tests pass, with 1 when some fail, with 2 when a file cannot be used.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    plugins: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help || positionals.length === 0) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else process.exitCode = await main();

async function main() {
  const catalog = discoverPlugins([...values.plugins.map((path) => resolve(path)), ...installed()]);
  let code = 0;
  for (const file of positionals) {
    try {
      const beside = connectorFilesOf(file).find((path) => existsSync(path));
      const other = beside === undefined ? null : { file: beside, content: readFileSync(beside, 'utf8') };
      const { config, tests } = parseTransformTestFile(readFileSync(file, 'utf8'), other);
      const report = await runTransformTests(config, tests, catalog);
      print(file, report);
      if (report.failed > 0) code = Math.max(code, 1);
    } catch (error) {
      console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      code = 2;
    }
  }
  return code;
}

/** Packages beside Troupe, as a node finds them. */
function installed() {
  const root = dirname(fileURLToPath(new URL('.', import.meta.url)));
  const folders = [join(root, 'node_modules'), dirname(root)].filter((path) => path.endsWith('node_modules'));
  return folders.filter(existsSync).flatMap((path) => new InstalledPackages(path).read().folders);
}

function print(file, { passed, failed, tests }) {
  for (const test of tests) {
    console.log(`${test.passed ? 'passed' : 'FAILED'}  ${test.name}`);
    for (const { path, expected, actual } of test.differences)
      console.log(`        ${path}\n          expected ${expected}\n          came     ${actual}`);
  }
  console.log(`${file}: ${passed} passed, ${failed} failed`);
}
