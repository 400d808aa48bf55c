import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { rememberSecrets } from '#troupe/actors/kernel/known-secrets.js';
import { Notes } from '#troupe/actors/task/notes.js';
import { Seldom } from '#troupe/actors/task/seldom.js';

function recorded(t: TestContext): { notes: Notes; told: string[]; pass: (ms: number) => void } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: string[] = [];
  let now = 0;
  const seldom: Seldom = new Seldom(
    () => now,
    () => void told.push(notes.all.map(({ code, message }) => `${code} ${message}`).join(', ')),
  );
  const notes: Notes = new Notes(() => {
    seldom.soon();
  });
  const pass = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  return { notes, told, pass };
}

test('notes that come together are told together, those that follow seldom, and one that stays only once', (t) => {
  const { notes, told, pass } = recorded(t);
  notes.set('A', '1');
  notes.set('B', '1');
  notes.set('A', '2');
  assert.deepEqual(told, []);
  pass(500);
  assert.deepEqual(told, ['A 2, B 1']);
  for (let count = 3; count < 100; count += 1) {
    notes.set('A', String(count));
    pass(100);
  }
  notes.set('A', '100');
  assert.equal(told.length, 1);
  pass(10_000);
  assert.deepEqual(told, ['A 2, B 1', 'A 100, B 1']);
  notes.set('A', '100');
  notes.set('C', null);
  pass(100_000);
  assert.equal(told.length, 2);
});

test('a note that is taken back is gone, and the next of its code has a time of its own', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const notes = new Notes(() => undefined);
  notes.set('A', '1');
  t.mock.timers.tick(5);
  notes.set('A', '2');
  assert.deepEqual(notes.all, [{ code: 'A', since: 0, message: '2' }]);
  notes.set('A', null);
  assert.deepEqual(notes.all, []);
  notes.set('A', '3');
  assert.deepEqual(notes.all, [{ code: 'A', since: 5, message: '3' }]);
});

test('notes are bounded in number and length, and hold no secrets', (t) => {
  const { notes } = recorded(t);
  rememberSecrets(['hunter-2']);
  for (let n = 0; n < 30; n += 1) notes.set(`CODE_${n}`, `hunter-2 ${'x'.repeat(10_000)}`);
  assert.equal(notes.all.length, 20);
  for (const { message } of notes.all) {
    assert.match(message, /^\[hidden\] x/);
    assert.ok(message.length < 600);
  }
});
