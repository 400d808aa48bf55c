import assert from 'node:assert/strict';
import { realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import source from '#troupe/connectors/file/source/source.js';
import { ConfigError, parseConfigOrThrow, type FileAccess } from '#troupe/sdk/index.js';
import { inFolder } from './temporary.js';
import { withSource } from './with-source.js';

/** As of a node that lets connectors open nothing called `secret`, whatever links to it. */
const files: FileAccess = {
  realPath: (path) => realpath(path).catch(() => path),
  async check(path, field) {
    if (!(await this.realPath(path)).includes('secret')) return;
    throw new ConfigError(`${path} belongs to the node`, { code: 'FILE_NOT_ALLOWED', field });
  },
};

test('a link to a file that the node keeps for itself is not read, and the other files are', () =>
  withSource(
    { files: '*.log' },
    async ({ folder, path, harness, take }) => {
      await writeFile(join(folder, 'secret'), 'password\n');
      await symlink(join(folder, 'secret'), join(folder, 'link.log'));
      await writeFile(path, 'a\n');
      await harness.start();
      assert.deepEqual(await take(1), ['a']);
      assert.deepEqual(await harness.poll(), []);
      const warning = harness.log.lines.find(({ level }) => level === 'warn');
      assert.match(JSON.stringify(warning), /link\.log belongs to the node/);
    },
    { files },
  ));

test('a path that the node keeps for itself is refused when it is configured, and when it becomes a link there', async () => {
  await inFolder(async (folder) => {
    assert.ok(source.type === 'source');
    const { plugin } = source;
    for (const raw of [
      { file: join(folder, 'secret'), topic: 't' },
      { files: join(folder, 'secret', '*.log'), topic: 't' },
    ]) {
      const issues = await plugin.validate?.(parseConfigOrThrow(plugin.config, raw), raw, { files });
      assert.deepEqual(
        issues?.map(({ field }) => field),
        [Object.keys(raw)[0]],
      );
    }
  });
  await withSource(
    {},
    async ({ folder, path, harness }) => {
      await harness.start();
      assert.deepEqual(await harness.poll(), []);
      await writeFile(join(folder, 'secret'), 'password\n');
      await symlink(join(folder, 'secret'), path);
      await assert.rejects(harness.poll(), { name: 'ConfigError', code: 'FILE_NOT_ALLOWED' });
    },
    { files },
  );
});
