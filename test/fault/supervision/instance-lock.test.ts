import assert from 'node:assert/strict';
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockInstance } from '#troupe/supervisor/instance-lock.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';
import { fillDisk, mountSmallDisk, NO_SMALL_DISK } from '../../support/small-disk.js';
import { until } from '../../support/wait.js';

/** Above every process id that a system gives. */
const GONE = '999999999 - gone';

const CONTENDER = fileURLToPath(new URL('./lock-contender.js', import.meta.url));

async function answer(contender: ChildProcess): Promise<boolean> {
  const message: readonly unknown[] = await once(contender, 'message');
  return message[0] === true;
}

test('of many processes that start after a crash, exactly one takes over the lock', async (t) => {
  const dir = temporaryFolder();
  t.after(() => removeFolder(dir));
  const contenders = Array.from({ length: 6 }, (_, i) => fork(CONTENDER, [`w${i}`, dir]));
  t.after(() => contenders.forEach((contender) => contender.kill()));
  await Promise.all(contenders.map(answer));
  for (let round = 0; round < 300; round += 1) {
    writeFileSync(join(dir, 'node.lock'), GONE);
    // One that crashed while it took over.
    if (round % 3 === 0) writeFileSync(join(dir, 'node.lock.takeover'), GONE);
    const answers = contenders.map(answer);
    for (const contender of contenders) contender.send('take it');
    const taken = await Promise.all(answers);
    assert.equal(taken.filter(Boolean).length, 1, `round ${round}: ${taken.join(' ')}`);
    assert.match(readFileSync(join(dir, 'node.lock'), 'utf8'), new RegExp(` w${taken.indexOf(true)}$`));
  }
  assert.deepEqual(readdirSync(dir), ['node.lock']);
});

test('a lock is left by its release, and not by that of another', (t) => {
  const dir = temporaryFolder();
  t.after(() => removeFolder(dir));
  const instance = { workerId: 'w', ownFolder: dir, sharedFolder: null };
  lockInstance(instance)();
  assert.deepEqual(readdirSync(dir), []);
  const release = lockInstance(instance);
  writeFileSync(join(dir, 'node.lock'), GONE);
  release();
  assert.deepEqual(readdirSync(dir), ['node.lock']);
});

test('a lock that a full disk has no room for leaves nothing behind', (t) => {
  const disk = mountSmallDisk(t, 1);
  if (disk === null) {
    t.skip(NO_SMALL_DISK);
    return;
  }
  fillDisk(join(disk, 'beside'));
  const instance = { workerId: 'w', ownFolder: disk, sharedFolder: null };
  assert.throws(() => lockInstance(instance), /no space left/);
  assert.deepEqual(readdirSync(disk), ['beside']);
});

test('a node that was killed and that its parent has not reaped holds no lock', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('needs /proc');
    return;
  }
  const dir = temporaryFolder();
  // What replaces the shell never asks how its child has ended; the shell itself might, so the child waits for that.
  const child = `sh -c 'until [ "$(cat /proc/$PPID/comm)" = sleep ]; do :; done'`;
  const parent = spawn('sh', ['-c', `${child} & echo $!; exec sleep 600`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => {
    parent.kill('SIGKILL');
    removeFolder(dir);
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = line.toString().trim();
  await until('it is a zombie', () => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  writeFileSync(join(dir, 'node.lock'), `${pid} - w`);
  lockInstance({ workerId: 'w', ownFolder: dir, sharedFolder: null })();
});

test('the lock is for its owner alone, as is the folder that was made for it', (t) => {
  const dir = temporaryFolder();
  t.after(() => removeFolder(dir));
  const ownFolder = join(dir, 'store');
  lockInstance({ workerId: 'w', ownFolder, sharedFolder: null });
  assert.equal(statSync(ownFolder).mode & 0o777, 0o700);
  assert.equal(statSync(join(ownFolder, 'node.lock')).mode & 0o777, 0o600);
});
