import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayPass, toLogError } from '#troupe/log/rocketmq/grpc/errors.js';

/** As gRPC and the proxy's client fail. */
function failure(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}

test('a call that is broken off on its way may have been carried out, and is tried again', () => {
  for (const [code, message] of [
    [2, '2 UNKNOWN: '],
    [10, '10 ABORTED: '],
    [13, '13 INTERNAL: Received RST_STREAM with code 2 (Internal server error)'],
    [14, '14 UNAVAILABLE: Connection dropped'],
    [15, '15 DATA_LOSS: '],
  ] as const) {
    const error = toLogError('publish', failure(code, message));
    assert.deepEqual([error.code, error.retriable], ['LOG_UNAVAILABLE', true], message);
  }
});

test('what a proxy refuses for a reason that is not known here is final', () => {
  const error = toLogError('publish', failure(40_099, 'no such thing'));
  assert.deepEqual([error.code, error.retriable], ['LOG_BAD_REQUEST', false]);
});

test('a receipt whose broker is away for the moment is no wrong receipt', () => {
  const away = toLogError('acknowledge', failure(40_013, '[400, 40013] cannot find broker broker-a'));
  assert.deepEqual([away.code, mayPass(away)], ['LOG_UNAVAILABLE', true]);
  const expired = toLogError('acknowledge', failure(40_013, '[400, 40013] receipt handle is expired'));
  assert.deepEqual([expired.code, mayPass(expired)], ['LOG_BAD_REQUEST', false]);
});
