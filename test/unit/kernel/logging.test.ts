import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger, type LogOptions } from '#troupe/actors/kernel/logging.js';
import { redactFields } from '#troupe/actors/kernel/redact.js';

const dir = mkdtempSync(join(tmpdir(), 'troupe-log-'));
after(() => {
  rmSync(dir, { recursive: true });
});

let files = 0;

function logged(options: Partial<LogOptions>, write: (log: ReturnType<typeof createLogger>) => void): string {
  const file = join(dir, 'below', `${files++}.log`);
  write(createLogger({ level: 'info', format: 'json', bindings: { actor: 'orders-0' }, ...options, file }));
  return readFileSync(file, 'utf8');
}

test('a line is in the file when the call returns, as JSON with its context and the error in full', () => {
  const error = Object.assign(new Error('boom', { cause: new Error('why') }), {
    code: 'BOOM',
    password: 'hunter2',
  });
  const text = logged({}, (log) => {
    log.debug({}, 'not at this level');
    log.child({ task: 3 }).error({ error, count: 1n, config: { 'db.password': 'hunter2' } }, 'it broke');
  });
  assert.ok(!text.includes('hunter2'), text);
  const line = JSON.parse(text) as Record<string, unknown> & { error: Record<string, string> };
  assert.equal(line['level'], 'error');
  assert.equal(line['actor'], 'orders-0');
  assert.equal(line['task'], 3);
  assert.equal(line['msg'], 'it broke');
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(line['config'], { 'db.password': '[redacted]' });
  assert.equal(line.error['code'], 'BOOM');
  assert.match(line.error['stack']!, /caused by: Error: why/);
});

test('a line for eyes is brief: time, level, context, message and fields, with no stack', () => {
  const text = logged({ format: 'pretty' }, (log) => {
    log.warn({ error: new TypeError('boom'), stack: 'far too long', size: 7 }, 'it broke');
  });
  assert.match(
    text,
    /^\d\d:\d\d:\d\d\.\d{3} WARN: \[orders-0\] it broke \{"error":"TypeError: boom","size":7\}\n$/,
  );
  assert.ok(
    logged({ format: 'pretty', level: 'debug' }, (log) => log.warn({ error: new Error('x') }, 'y')).includes(
      'at ',
    ),
  );
});

test('values under keys that look secret are censored at any depth, and nothing else', () => {
  const date = new Date(0);
  const fields = {
    accessKey: 'a',
    'access.key': 'a',
    secretKey: 'b',
    dbPassword: 'c',
    authToken: { nested: 'd' },
    list: [{ passwd: 'e' }, 1],
    passwordless: null,
    topic: 'orders',
    date,
  };
  assert.deepEqual(redactFields(fields), {
    accessKey: '[redacted]',
    'access.key': '[redacted]',
    secretKey: '[redacted]',
    dbPassword: '[redacted]',
    authToken: '[redacted]',
    list: [{ passwd: '[redacted]' }, 1],
    passwordless: null,
    topic: 'orders',
    date,
  });
  assert.deepEqual(fields.list[0], { passwd: 'e' }, 'the original is left alone');
});
