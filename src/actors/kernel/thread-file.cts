/**
 * Runs the one file that holds all of a thread's code (scripts/bundle-threads.mjs), with what an earlier thread has compiled
 * of it. CommonJS and small, as it is itself compiled anew in each thread.
 */
import fs = require('node:fs');
import path = require('node:path');
import nodeUrl = require('node:url');
import vm = require('node:vm');
import threads = require('node:worker_threads');
import type { ThreadFile } from './control.js' with { 'resolution-mode': 'import' };
import type { CodeInUse } from './actor-host.js' with { 'resolution-mode': 'import' };

type ThreadModule = { run?: (code: CodeInUse) => void };
type Wrapped = (
  exports: ThreadModule,
  require: NodeJS.Require,
  module: { exports: ThreadModule },
  filename: string,
  dirname: string,
  importModule: (specifier: string) => Promise<unknown>,
) => void;

const { url, compiled } = (threads.workerData as { readonly file: ThreadFile }).file;
const filename = nodeUrl.fileURLToPath(url);
// It holds ASCII only: one byte a character, in V8 as well.
const text = fs.readFileSync(filename, 'latin1');
// What was compiled in another thread has lost how it imports: it is given that.
const parameters = 'exports,require,module,__filename,__dirname,importModule';
const script = new vm.Script(`(function(${parameters}){${text}\n})`, {
  filename,
  ...(compiled !== null && { cachedData: Buffer.from(compiled) }),
});
const loaded: { exports: ThreadModule } = { exports: {} };
const importModule = (specifier: string): Promise<unknown> => import(specifier);
const wrapped = script.runInThisContext() as Wrapped;
wrapped(loaded.exports, require, loaded, filename, path.dirname(filename), importModule);
loaded.exports.run?.({
  origin: compiled === null ? 'none' : script.cachedDataRejected === true ? 'rejected' : 'given',
  compiled: () => script.createCachedData(),
});
