import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LogLevels } from '#troupe/actors/kernel/log-levels.js';
import { createLogger } from '#troupe/actors/kernel/logging.js';

const KNOWN = [['http'], ['tasks.orders.0', 'FileStreamSource'], ['tasks.orders.1', 'FileStreamSource']];

test('a level holds for the loggers below, and the one that was set last holds', () => {
  const levels = new LogLevels('INFO');
  assert.deepEqual(levels.set('tasks', 'DEBUG', 1, KNOWN), ['tasks', 'tasks.orders.0', 'tasks.orders.1']);
  assert.deepEqual(levels.set('tasks.orders.1', 'ERROR', 2, KNOWN), ['tasks.orders.1']);
  assert.deepEqual(levels.set('tasks.orders.1', 'ERROR', 3, KNOWN), [], 'it has that level');
  const at = (name: string) => levels.list(KNOWN).find((each) => each.name === name);
  assert.deepEqual(at('tasks.orders.0'), { name: 'tasks.orders.0', level: 'DEBUG', lastModified: 1 });
  assert.deepEqual(at('tasks.orders.1'), { name: 'tasks.orders.1', level: 'ERROR', lastModified: 2 });
  assert.deepEqual(at('http'), { name: 'http', level: 'INFO', lastModified: null });
  assert.deepEqual(levels.set('root', 'WARN', 4, KNOWN), [
    'FileStreamSource',
    'http',
    'root',
    'tasks',
    'tasks.orders.0',
    'tasks.orders.1',
  ]);
  assert.ok(levels.list(KNOWN).every(({ level, lastModified }) => level === 'WARN' && lastModified === 4));
});

test('a logger whose name only begins alike keeps its level', () => {
  const levels = new LogLevels('INFO');
  levels.set('tasks.order', 'DEBUG', 1, KNOWN);
  assert.equal(levels.list(KNOWN).find(({ name }) => name === 'tasks.orders.0')?.level, 'INFO');
});

test('where levels of too many loggers were set, another is refused, and the root can still be set', () => {
  const levels = new LogLevels('INFO');
  for (let i = 0; i < 500; i += 1) assert.deepEqual(levels.set(`l${i}`, 'DEBUG', i, []), [`l${i}`]);
  assert.equal(levels.set('one-more', 'DEBUG', 1, []), null);
  assert.equal(levels.list([]).length, 501);
  assert.equal(levels.set('root', 'OFF', 1, [])?.length, 501);
});

test('a level that is set while threads run decides over their next line', () => {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-levels-'));
  try {
    const file = join(dir, 'log');
    const levels = new LogLevels('INFO');
    const task = createLogger({
      level: 'info',
      format: 'json',
      file,
      levels: levels.memory,
      names: ['tasks.orders.0'],
    });
    const plugin = task.child({}, { logger: 'FileStreamSource' });
    const write = (round: string): void => {
      task.debug({}, `task debug ${round}`);
      plugin.debug({}, `plugin debug ${round}`);
      plugin.error({}, `plugin error ${round}`);
    };
    write('as begun');
    levels.set('FileStreamSource', 'DEBUG', 1, []);
    write('plugin debug');
    levels.set('tasks', 'TRACE', 2, []);
    write('tasks trace');
    levels.set('root', 'OFF', 3, []);
    write('off');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      [
        'plugin error as begun',
        'plugin debug plugin debug',
        'plugin error plugin debug',
        'task debug tasks trace',
        'plugin debug tasks trace',
        'plugin error tasks trace',
      ],
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});
