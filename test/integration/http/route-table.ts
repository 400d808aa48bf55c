/** Routes as a table: what is sent in which situation, and what is answered. */
import assert from 'node:assert/strict';
import test from 'node:test';

import { errorOf, Rest, type Sent } from './client.js';
import { SOURCE } from './in-memory-runtime.js';

export const FILE = { 'connector.class': SOURCE, file: 'a.txt', 'tasks.max': '2' };
/** The source `a` that every row starts with, running, of two tasks. */
export const STORED = { ...FILE, name: 'a' };
export const STORED_TASK = { ...STORED, 'task.class': 'example.LinesTask' };
export const INFO = {
  name: 'a',
  config: STORED,
  tasks: [
    { connector: 'a', task: 0 },
    { connector: 'a', task: 1 },
  ],
  type: 'source',
};
export const RUNNING = { state: 'RUNNING', worker_id: 'worker-1', version: '1.0.0' };
export const STATUS = {
  name: 'a',
  connector: RUNNING,
  tasks: [
    { id: 0, ...RUNNING },
    { id: 1, ...RUNNING },
  ],
  type: 'source',
};
export const TEXT = { headers: { accept: 'text/plain' } };

export interface Row {
  readonly situation: string;
  readonly send: readonly [method: string, path: string, sent?: Sent];
  readonly status: number;
  /** The whole body; a string is the text. */
  readonly body?: unknown;
  /** Code of the error. */
  readonly code?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Units that failed. */
  readonly failing?: readonly string[];
}

export function error(code: string, message?: string): Pick<Row, 'code' | 'message'> {
  return message === undefined ? { code } : { code, message };
}

export function testRoutes(rows: readonly Row[]): void {
  for (const row of rows) {
    const [method, path] = row.send;
    test(`${row.situation}: ${method} ${path} answers ${row.status}`, async (t) => {
      const rest = await Rest.start(t);
      await rest.send('PUT', '/connectors/a/config', { body: FILE });
      for (const unit of row.failing ?? []) rest.runtime.fail(unit, `trace of ${unit}`);
      await check(rest, row);
    });
  }
}

async function check(rest: Rest, row: Row): Promise<void> {
  const answer = await rest.send(...row.send);
  assert.equal(answer.status, row.status, answer.text);
  if (row.body !== undefined)
    assert.deepEqual(typeof row.body === 'string' ? answer.text : answer.json, row.body);
  if (row.code !== undefined) {
    const { errors: _, ...told } = errorOf(answer.json);
    assert.deepEqual(told, { error_code: row.status, code: row.code, message: row.message ?? told.message });
  }
  for (const [name, value] of Object.entries(row.headers ?? {})) {
    assert.equal(answer.headers[name], name === 'location' ? `http://127.0.0.1:${rest.port}${value}` : value);
  }
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.match(answer.headers['x-request-id']?.toString() ?? '', /^[\w-]{36}$/);
}
