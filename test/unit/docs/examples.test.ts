import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const DOCUMENT = fileURLToPath(new URL('../../../../docs/writing-a-connector.md', import.meta.url));
/** Beside it: modules are looked for from there. */
const FILE = DOCUMENT.replace('writing-a-connector.md', 'example.ts');
const OPTIONS: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
};

/** Of modules of their own: the others are pieces of a file that the text around them describes. */
const examples = [...readFileSync(DOCUMENT, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
  .map(([, code = '']) => code)
  .filter((code) => code.includes('import') && !code.includes("from '../"));

test('the whole examples for authors compile as an author would compile them', () => {
  assert.ok(examples.length > 0);
  for (const example of examples) {
    const host = ts.createCompilerHost(OPTIONS);
    const source = host.getSourceFile.bind(host);
    host.getSourceFile = (name, options, ...rest) =>
      name === FILE ? ts.createSourceFile(name, example, options) : source(name, options, ...rest);
    const program = ts.createProgram([FILE], OPTIONS, host);
    const said = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    assert.deepEqual(said, []);
  }
});
