import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Retirements } from '#troupe/connectors/file/source/retirements.js';

test('what a poll retires is said by the next one, unless the path has a file again', () => {
  const said: unknown[] = [];
  const read = new Set<string>();
  const retirements = new Retirements({ retire: ({ file }) => said.push(file) }, (path) => read.has(path));
  retirements.add('gone.log');
  retirements.add('back.log');
  assert.deepEqual(said, []);
  read.add('back.log');
  retirements.say();
  assert.deepEqual(said, ['gone.log']);
  read.clear();
  retirements.say();
  assert.deepEqual(said, ['gone.log']);
});
