import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  gaveBack,
  GrowthSinceWord,
  isSmallBeside,
  judgeMemory,
  planningMemory,
  type JobMemory,
} from '#troupe/core/planning-memory.js';

const MB = 1024 * 1024;
const GB = 1024 * MB;
const memory = planningMemory(16 * GB);
const judged = (job: Partial<JobMemory>, processBytes = 0, of = memory) =>
  judgeMemory({ overMark: false, saidBytes: 0, seenBytes: null, grownBytes: 0, ...job }, of, processBytes);

test('a plan may have 1 GB, or a quarter of a small node', () => {
  assert.equal(memory.markBytes, GB);
  assert.equal(planningMemory(2 * GB).markBytes, 512 * MB);
  assert.equal(planningMemory(MB).markBytes, 64 * MB, 'what a plugin needs to load');
  assert.ok(memory.hardMb * MB >= 4 * memory.markBytes);
});

test('what its thread says, or V8 of it, is sure; what the process has grown by meanwhile is a suspicion', () => {
  assert.equal(judged({ overMark: true }), 'over');
  assert.equal(judged({ seenBytes: 1.6 * GB }), 'over');
  assert.equal(judged({ seenBytes: 1.4 * GB }), null, 'some of it may be garbage');
  assert.equal(judged({ saidBytes: 0.5 * GB, grownBytes: 1.1 * GB }), 'suspected');
  assert.equal(judged({ saidBytes: 0.5 * GB, grownBytes: 0.5 * GB }), null);
});

test('others that grow are not its own, where V8 tells of its thread', () => {
  assert.equal(judged({ seenBytes: 10 * MB, grownBytes: 5 * GB }), null);
});

test('what it holds for long is no suspicion: only growth that it has not told of', () => {
  assert.equal(judged({ saidBytes: 1.6 * GB, grownBytes: 0 }), null);
  assert.equal(judged({ saidBytes: 1.6 * GB, grownBytes: -GB }), null);
});

test('what was taken right after a word, and before a look that comes late, is the growth of whoever said it, too', () => {
  const [eats, computes] = [new GrowthSinceWord(0, 300 * MB), new GrowthSinceWord(0, 300 * MB)];
  assert.equal(computes.look(1, 300 * MB), true);
  assert.equal(computes.look(1, 900 * MB), false);
  assert.equal(eats.look(1, 900 * MB), true);
  const job = (growth: GrowthSinceWord): JobMemory => ({
    overMark: false,
    saidBytes: MB,
    seenBytes: null,
    grownBytes: growth.bytes(900 * MB),
  });
  assert.equal(job(computes).grownBytes, 600 * MB);
  assert.ok(!isSmallBeside(job(eats), job(computes)), 'it cannot be told which of them it was');
  assert.equal(eats.look(2, 900 * MB), true);
  assert.equal(job(eats).grownBytes, 0, 'what it says then includes it');
});

test('on a node that has no memory left a tenth of it is too much', () => {
  const small = planningMemory(4 * GB);
  assert.equal(judged({ grownBytes: 0.5 * GB }, 3 * GB, small), null);
  assert.equal(judged({ grownBytes: 0.5 * GB }, 4.1 * GB, small), 'suspected');
});

test('a suspect whose end gives back half of it was it', () => {
  assert.equal(gaveBack(3 * GB, 2 * GB, 1.6 * GB), true);
  assert.equal(gaveBack(3 * GB, 2.5 * GB, 1.6 * GB), false);
});
