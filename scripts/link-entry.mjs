/**
 * Makes dist/supervisor.js, which users start, a link to dist/supervisor.cjs: Node goes by the name of the file behind
 * a link, so it is loaded as CommonJS, before the thread pool is used (src/supervisor.cts). Where no link can be made, it
 * is a module that does the same but comes too late for the size of the pool, which then is said in the log. So it is with
 * --module, for `npm pack`, which leaves links out.
 */
import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

const TARGET = 'supervisor.cjs';
const link = new URL('../dist/supervisor.js', import.meta.url);
const aside = new URL(`../dist/supervisor.js.${process.pid}`, import.meta.url);

function isLinked() {
  try {
    return lstatSync(link).isSymbolicLink() && readlinkSync(link) === TARGET;
  } catch {
    return false;
  }
}

function writeModule() {
  writeFileSync(aside, `import './${TARGET}';\n`);
}

const asModule = process.argv.includes('--module');
if (asModule || !isLinked()) {
  rmSync(aside, { force: true });
  if (asModule) writeModule();
  else {
    try {
      symlinkSync(TARGET, aside, 'file');
    } catch {
      writeModule();
    }
  }
  renameSync(aside, link);
}
