/** The acceptance suite fails plugins that have a fault, and passes the same plugins without it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Fault } from './faulty-connectors.js';

const SUITE = fileURLToPath(new URL('faulty-suite.js', import.meta.url));

/** What the suite says of the plugin, as TAP; with `only`, the tests of that name alone. */
function judge(type: 'source' | 'sink', fault: Fault, only?: string): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const pattern = only === undefined ? [] : [`--test-name-pattern=${only}`];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--test-reporter=tap', ...pattern, SUITE, type, fault],
      { env },
      (_error, output) => {
        resolve(output);
      },
    );
  });
}

const FAULTS: readonly (readonly ['source' | 'sink', Fault, test: string, said: RegExp])[] = [
  ['source', 'tells a password in a RetriableError', 'an interruption loses nothing', /value of password/],
  ['sink', 'tells a password in a RetriableError', 'written when they come again', /value of password/],
  ['source', 'logs an error with a password', 'gives what is there', /value of password stands in the log/],
  ['sink', 'logs an error with a password', 'arrives in order', /value of password stands in the log/],
  ['source', 'counts no number', 'gives what is there', /gave its metrics 1 values that cannot be counted/],
  ['sink', 'has a label with too many values', 'arrives in order', /have more than 1000 lines/],
  ['source', 'tells a password in a label', 'gives what is there', /value of password stands in its metrics/],
  ['source', 'leaves a timer', 'leaves nothing open', /left open after stop: 3 × Timeout/],
  ['sink', 'leaves a timer', 'leaves nothing open', /left open after stop: 3 × Timeout/],
  ['source', 'leaves a socket', 'leaves nothing open', /left open after stop: \d × TCPSocketWrap/],
  ['source', 'waits on', 'a poll that is called returns', /did not end within 3000 ms/],
  ['source', 'waits on', 'a poll that is waiting returns', /did not end within 3000 ms/],
  ['source', 'waits on in start', 'a start under way ends', /did not end within 3000 ms/],
  ['sink', 'waits on in start', 'a start under way ends', /did not end within 3000 ms/],
  ['sink', 'waits on', 'a put under way ends', /did not end within 3000 ms/],
  ['source', 'ends no transactions', 'a transaction ends with its last record', /t6 has no end though/],
  ['source', 'mixes transactions', 'a transaction ends with its last record', /t0 .*comes again after it/],
  ['source', 'marks no transactions', 'a transaction ends with its last record', /are not marked/],
  [
    'source',
    'goes on within transactions',
    'reads a transaction again from its first record',
    /does not come from its first record|waited for/,
  ],
  ['source', 'polls busily', 'an idle source waits', /1000 polls found nothing/],
  ['sink', 'fails at tombstones', 'tombstones', /null has no properties/],
  ['sink', 'takes a failed put for done', 'written when they come again', /lost/],
  ['sink', 'forgets what a flush could not write', 'arrive after a failed flush', /lost/],
  ['sink', 'hides that a flush failed', 'put before an interruption and not flushed', /lost/],
  ['sink', 'takes a new life of a topic for the old one', 'is made anew while it runs', /lost/],
  ['source', 'answers a signal with no JSON', 'a signal of an unknown', /answer of signal\(\) is no JSON/],
  ['sink', 'answers a signal with no JSON', 'a signal of an unknown', /answer of signal\(\) is no JSON/],
  ['source', 'hangs in a signal', 'a signal of an unknown', /signal\(\) did not end within 10000 ms/],
  ['source', 'stops at a signal', 'a signal of an unknown', /waited for 2 records, but got 0/],
  ['source', 'refuses its own positions', 'its own positions may be set', /no such partition/],
  ['source', 'rests in seconds', 'a time to come', /long past: it takes milliseconds/],
  ['source', 'takes a rest for what it has read', 'a time to come', /waited for 1 records/],
  ['source', 'fails at records that were left out', 'where records were left out', /null has no offset/],
  ['sink', 'fails when it is asked for its thread', 'may give up its thread', /nothing was put yet/],
  ['sink', 'is closed when it may give up its thread', 'may give up its thread', /it is closed/],
  ['sink', 'stops at a signal', 'a signal of an unknown', /lost/],
  ...(process.platform === 'linux'
    ? ([
        ['sink', 'leaves a file', 'leaves nothing open', /left open after stop: 3 × .*faulty-connectors/],
      ] as const)
    : []),
];

describe('the acceptance suite', { concurrency: 4 }, () => {
  for (const [type, fault] of [
    ['source', 'none'],
    ['source', 'none, in transactions'],
    ['source', 'none, and rests'],
    ['sink', 'none'],
  ] as const) {
    test(`passes a ${type} without faults: ${fault}`, async () => {
      const said = await judge(type, fault);
      if (fault === 'none, and rests') assert.doesNotMatch(said, /SKIP.*rest/, said);
      if (fault === 'none, in transactions') assert.doesNotMatch(said, /SKIP.*transaction/, said);
      assert.doesNotMatch(said, /^\s*not ok/m, said);
      assert.match(said, /^# pass [1-9]/m);
    });
  }

  for (const [type, fault, only, reason] of FAULTS) {
    test(`fails a ${type} that ${fault}: ${only}`, async () => {
      const said = await judge(type, fault, only);
      assert.match(said, new RegExp(`not ok \\d+ - [^\\n]*${only}`), said);
      assert.match(said, reason);
    });
  }
});
