import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockInstance } from '#troupe/supervisor/instance-lock.js';
import { removeFolder, temporaryFolder } from '../../support/node-process.js';

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
