import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { GroupCommit } from '#troupe/log/embedded/group-commit.js';
import { openDatabase } from '#troupe/log/embedded/open-database.js';
import { Staging } from '#troupe/log/embedded/staging.js';
import { LogError } from '#troupe/log/log.js';

async function writer(
  t: TestContext,
  maxPendingBytes = 1000,
): Promise<{ commits: GroupCommit; staging: Staging }> {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
  const database = await openDatabase(dir);
  const staging = new Staging(database.data);
  const onFatal = (error: LogError): never => {
    throw error;
  };
  const commits = new GroupCommit({
    database,
    staging,
    room: { provide: () => undefined, restore: () => undefined, mistrust: () => undefined },
    maxPendingBytes,
    maxPending: 100,
    stallMs: 60_000,
    onFatal,
    onLost: onFatal,
  });
  t.after(async () => {
    await commits.close();
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return { commits, staging };
}

function refusedAs(code: string): (error: unknown) => boolean {
  return (error) => error instanceof LogError && error.code === code;
}

test('work that refuses after it has staged something leaves nothing of it, and its group goes on', async (t) => {
  const { commits, staging } = await writer(t);
  const put = (name: string, value: string): void => {
    staging.put(['f', name], Buffer.from(value));
  };
  const first = commits.submit(1, () => {
    put('a', 'first');
  });
  const refused = commits.submit(1, () => {
    put('a', 'half');
    put('b', 'half');
    throw new LogError('LOG_FENCED', 'not you');
  });
  // In one group with the others: it sees what they staged.
  const last = commits.submit(
    1,
    () => `${staging.get(['f', 'a'])?.toString()} ${staging.get(['f', 'b'])?.toString()}`,
  );
  await assert.rejects(refused, refusedAs('LOG_FENCED'));
  await first;
  assert.equal(await last, 'first undefined');
  assert.equal(staging.get(['f', 'a'])?.toString(), 'first');
  assert.equal(staging.get(['f', 'b']), undefined);
});

test('work waits in line up to the bound and is refused beyond it; one larger piece goes alone', async (t) => {
  const { commits, staging } = await writer(t, 100);
  const stage = (): void => {
    staging.put(['f', 'x'], Buffer.from('x'));
  };
  const larger = commits.submit(500, stage);
  await assert.rejects(commits.submit(1, stage), refusedAs('LOG_BUSY'));
  await larger;
  await Promise.all([commits.submit(60, stage), commits.submit(40, stage)]);
  assert.equal(commits.pendingBytes, 0);
});

test('a store that cannot go on, as the disk failed beneath lmdb, says so, that it may be opened anew', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
  const database = await openDatabase(dir);
  t.after(async () => {
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  });
  // As lmdb's binding words it after a failed write of a meta page, seen with such writes made to fail.
  const message = 'Invalid argument: MDB_PANIC: Update of meta page failed or environment had fatal error';
  const failing = Object.create(database.version, {
    ifVersion: { value: () => Promise.reject(Object.assign(new Error(message), { code: 22 })) },
  }) as typeof database.version;
  const staging = new Staging(database.data);
  const fatal: LogError[] = [];
  const commits = new GroupCommit({
    database: { ...database, version: failing },
    staging,
    room: { provide: () => undefined, restore: () => undefined, mistrust: () => undefined },
    maxPendingBytes: 1000,
    maxPending: 100,
    stallMs: 60_000,
    onFatal: (error) => fatal.push(error),
    onLost: () => undefined,
  });
  const put = (): void => {
    staging.put(['f', 'x'], Buffer.from('x'));
  };
  await assert.rejects(commits.submit(1, put), refusedAs('LOG_IO'));
  assert.equal(fatal.length, 1);
});

test('a group whose file lost its name while it was written is not written again, though the name is back', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
  const database = await openDatabase(dir);
  t.after(async () => {
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  });
  let looks = 0;
  const staging = new Staging(database.data);
  const commits = new GroupCommit({
    // Each commit is preceded and followed by a look: this is the one that follows the group's.
    database: { ...database, isThere: () => (looks += 1) !== 4 },
    staging,
    room: { provide: () => undefined, restore: () => undefined, mistrust: () => undefined },
    maxPendingBytes: 1000,
    maxPending: 100,
    stallMs: 60_000,
    onFatal: (error) => {
      throw error;
    },
    onLost: () => undefined,
  });
  const add = (): void => {
    const count = Number(staging.get(['f', 'count'])?.toString() ?? 0);
    staging.put(['f', 'count'], Buffer.from(String(count + 1)));
  };
  const first = commits.submit(1, add);
  const group = [commits.submit(1, add), commits.submit(1, add)];
  await first;
  for (const work of group) await assert.rejects(work, refusedAs('LOG_IO'));
  assert.equal(staging.get(['f', 'count'])?.toString(), '3');
});

test('closing waits for what was submitted and refuses what comes later', async (t) => {
  const { commits, staging } = await writer(t);
  const submitted = commits.submit(1, () => {
    staging.put(['f', 'x'], Buffer.from('kept'));
  });
  await commits.close();
  await submitted;
  assert.equal(staging.get(['f', 'x'])?.toString(), 'kept');
  await assert.rejects(
    commits.submit(1, () => null),
    refusedAs('LOG_CLOSED'),
  );
});
