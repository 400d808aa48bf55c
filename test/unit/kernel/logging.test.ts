import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger, type LogOptions } from '#troupe/actors/kernel/logging.js';
import { rememberSecrets } from '#troupe/actors/kernel/known-secrets.js';
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

test('what a plugin says stays one line for eyes, and says nothing to the terminal', () => {
  const forged = 'late\n00:00:00.000 INFO: [supervisor] boot success\r\u001b[2J\u009b31m\u2028\u202e';
  const text = logged({ format: 'pretty' }, (log) => {
    log.child({ connector: forged }).warn({ note: forged, error: new Error(forged) }, forged);
  });
  assert.equal(text.trimEnd().split(/[\n\r\u2028]/).length, 1, text);
  assert.doesNotMatch(text.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  assert.match(text, /late\\n00:00:00\.000 INFO/);
});

test('a line is bounded, whatever it is given', () => {
  const huge = 'x'.repeat(20_000_000);
  const deep: { inner?: unknown; text: string } = { text: huge };
  deep.inner = { a: { b: { c: { d: { e: { f: { g: deep } } } } } } };
  const error = Object.assign(new Error(huge, { cause: new Error(huge) }), {
    code: huge,
    rows: [huge, huge],
  });
  for (const format of ['json', 'pretty'] as const) {
    const text = logged({ format, level: 'debug' }, (log) => {
      log.error(
        {
          error,
          deep,
          list: Array.from({ length: 100_000 }, () => 'y'.repeat(1000)),
          bytes: Buffer.alloc(10_000_000),
          other: error,
          [huge]: 1,
        },
        huge,
      );
    });
    assert.ok(text.length < 400_000, `${format}: ${text.length}`);
    assert.match(text, /cut, it had 20000000 characters/);
  }
});

test('a secret is not left in half where a text is cut', () => {
  const secret = `s3cr3t-${'q'.repeat(500)}-end`;
  rememberSecrets([secret]);
  for (let before = 16_384 - secret.length - 2; before < 16_384 + 4; before += 1) {
    const text = logged({}, (log) => {
      log.info({}, `${'-'.repeat(before)}${secret}${'.'.repeat(2000)}`);
    });
    assert.doesNotMatch(text, /s3cr3t/);
  }
});

test('a log that cannot be written ends nothing', () => {
  const log = createLogger({ level: 'info', format: 'json', file: join(dir, 'below', '0.log', 'no-folder') });
  log.error({}, 'this goes to the standard error');
});

test('the log file is for its owner alone', () => {
  logged({}, (log) => {
    log.info({}, 'a line');
  });
  assert.equal(statSync(join(dir, 'below', `${files - 1}.log`)).mode & 0o777, 0o600);
});
