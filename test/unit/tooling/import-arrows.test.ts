import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Linter, type Rule } from 'eslint';
import tseslint from 'typescript-eslint';

/** Compiled tests run in dist/test/unit/tooling. */
const root = new URL('../../../../', import.meta.url);

interface ArrowsModule {
  readonly rule: Rule.RuleModule;
}

// The rule is plain JavaScript: its shape is what eslint.config.js uses, too.
const { rule } = (await import(new URL('scripts/eslint-import-arrows.js', root).href)) as ArrowsModule;

function lint(file: string, code: string): string[] {
  const linter = new Linter({ cwd: '/repository' });
  const messages = linter.verify(
    code,
    {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { local: { rules: { 'import-arrows': rule } } },
      rules: { 'local/import-arrows': ['error', { root: '/repository' }] },
    },
    { filename: `/repository/${file}` },
  );
  return messages.map(({ message }) => message);
}

function allowed(file: string, code: string): void {
  assert.deepEqual(lint(file, code), [], `${file}: ${code}`);
}

function forbidden(file: string, code: string, reason: RegExp): void {
  const messages = lint(file, code);
  assert.equal(messages.length, 1, `${file}: ${code}: ${messages.join('; ')}`);
  assert.match(messages[0] ?? '', reason);
}

test('the sdk imports nothing of ours', () => {
  allowed('src/sdk/plugin.ts', `import type { Schema } from './schema.js';`);
  allowed(
    'src/sdk/testing/source.ts',
    `import { test } from 'node:test'; import { Secret } from '../config.js';`,
  );
  forbidden(
    'src/sdk/plugin.ts',
    `import type { UnitId } from '../core/model.js';`,
    /src\/sdk\/ may not import src\/core\/model\.ts/,
  );
  forbidden('src/sdk/plugin.ts', `import pino from 'pino';`, /package pino/);
});

test('connectors, converters and transforms see the sdk only, and connectors not each other', () => {
  allowed(
    'src/connectors/file/source.ts',
    `import { sourceRecord } from '../../sdk/index.js'; import './tail.js';`,
  );
  forbidden('src/connectors/file/source.ts', `import '../../core/model.js';`, /may not import src\/core/);
  forbidden(
    'src/connectors/file/source.ts',
    `import '../jdbc/url.js';`,
    /may not import src\/connectors\/jdbc/,
  );
  forbidden('src/converters/json.ts', `export * from '../log/log.js';`, /may not import src\/log/);
  allowed('src/transforms/expression.ts', `import { Environment } from '@marcbachmann/cel-js';`);
  forbidden('src/transforms/cast.ts', `import pino from 'pino';`, /package pino/);
});

test('a connector that is a package sees its own files, and all else by name', () => {
  allowed(
    'connectors/acme/src/index.ts',
    `import { sourceRecord } from '@troupe/sdk'; import pg from 'pg'; import './rows.js'; import '../src/rows.js';`,
  );
  forbidden('connectors/acme/src/index.ts', `import '../../../src/sdk/index.js';`, /may not import src\/sdk/);
  forbidden(
    'connectors/acme/test/acme.test.ts',
    `import '../../other/src/index.js';`,
    /may not import connectors\/other/,
  );
});

test('core is pure: no files, no sockets, no threads, and nothing above it', () => {
  allowed(
    'src/core/claims.ts',
    `import { resolve } from 'node:path'; import { Secret } from '../sdk/config.js';`,
  );
  forbidden('src/core/claims.ts', `import { readFileSync } from 'node:fs';`, /is pure: no node:fs/);
  forbidden('src/core/claims.ts', `const x = await import('../log/log.js');`, /may not import src\/log/);
});

test('a room of core sees those below it and none above, and core knows no code that loads plugins', () => {
  allowed('src/core/cluster/claims.ts', `import '../replica/machine.js'; import '../model.js';`);
  forbidden(
    'src/core/replica/machine.ts',
    `import type { X } from '../cluster/claims.js';`,
    /may not import src\/core\/cluster/,
  );
  forbidden('src/core/model.ts', `import './cluster/claims.js';`, /may not import src\/core\/cluster/);
  forbidden('src/core/cluster/claims.ts', `import '../../plugins/load.js';`, /may not import src\/plugins/);
  allowed('src/plugins/load.ts', `import '../core/connectors/connector-name.js';`);
});

test('an actor sees the log port and other actors’ protocols as types, but no adapter and no behavior', () => {
  allowed('src/actors/task/behavior.ts', `import { openLog } from '../log/open.js';`);
  forbidden('src/actors/task/behavior.ts', `import '../log/client.js';`, /may not import src\/actors\/log/);
  allowed(
    'src/actors/task/behavior.ts',
    `import type { PersistenceProtocol } from '../persistence/protocol.js';`,
  );
  forbidden('src/actors/task/behavior.ts', `import '../persistence/protocol.js';`, /only as types/);
  forbidden(
    'src/actors/task/behavior.ts',
    `import type { X } from '../persistence/behavior.js';`,
    /may not import/,
  );
  forbidden(
    'src/actors/task/behavior.ts',
    `import '../../log/embedded/store.js';`,
    /may not import src\/log\/embedded/,
  );
  forbidden('src/actors/task/behavior.ts', `import { open } from 'lmdb';`, /package lmdb/);
  allowed('src/actors/log/behavior.ts', `import '../../log/embedded/store.js';`);
});

test('an adapter sees the port and core; only it loads the store', () => {
  allowed('src/log/embedded/store.ts', `import { open } from 'lmdb'; import type { Log } from '../log.js';`);
  forbidden(
    'src/log/embedded/store.ts',
    `import '../rocketmq/client.js';`,
    /may not import src\/log\/rocketmq/,
  );
  forbidden('src/log/log.ts', `import './embedded/store.js';`, /may not import src\/log\/embedded\/store/);
  forbidden(
    'src/log/embedded/store.ts',
    `import type { LogProtocol } from '../../actors/log/protocol.js';`,
    /may not import src\/actors/,
  );
});

test('nobody imports the supervisor, and the kernel no actor', () => {
  forbidden(
    'src/actors/kernel/thread.ts',
    `import '../task/behavior.js';`,
    /may not import src\/actors\/task/,
  );
  forbidden(
    'src/http/actor/behavior.ts',
    `import '../../supervisor/system.js';`,
    /may not import src\/supervisor/,
  );
  forbidden('src/http/app.ts', `import '../actors/kernel/ref.js';`, /may not import src\/actors\/kernel/);
  forbidden('src/actors/kernel/thread.ts', `import '../../http/tree-text.js';`, /may not import src\/http/);
  forbidden('src/http/app.ts', `import './actor/runtime.js';`, /may not import src\/http\/actor/);
  allowed('src/http/actor/behavior.ts', `import '../server.js'; import '../../actors/kernel/ref.js';`);
  allowed('src/main.ts', `import './supervisor/system.js';`);
});

test('tests and benchmarks may import anything', () => {
  allowed('test/unit/x.test.ts', `import '../../src/log/embedded/store.js'; import 'lmdb';`);
  allowed('bench/main.ts', `import 'lmdb';`);
});
