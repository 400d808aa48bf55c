import { parseArgs } from 'node:util';
import { ROCKETMQ_VERSIONS } from '#troupe/test/support/rocketmq.js';

const PARTS = [
  'throughput',
  'shared',
  'failover',
  'leave',
  'join',
  'rolling',
  'heartbeats',
  'config',
] as const;
export type Part = (typeof PARTS)[number];

/** Those that need no broker: nodes that share the embedded store are the same cluster. */
const EMBEDDED_PARTS: readonly Part[] = ['failover', 'leave', 'join', 'rolling', 'heartbeats', 'config'];

export interface Options {
  readonly parts: readonly Part[];
  readonly log: 'rocketmq' | 'embedded';
  readonly version: string;
  /** Of the rates: what is measured so often, after one round that only warms up. */
  readonly rounds: number;
  /** Of the distributions. */
  readonly runs: number;
  /** Of `throughput`; a shared sink, which is slower, gets a tenth. */
  readonly lines: number;
  /** Pairs of a source and a sink with two tasks each, in the parts that move tasks. */
  readonly pairs: number;
  /** Of watching a cluster that has nothing to do. */
  readonly quietSeconds: number;
  /** No part begins another run or round after so many. */
  readonly minutes: number;
  readonly broker: Readonly<Record<string, string>>;
}

export const USAGE = `npm run bench:rocketmq -- [part...] [options]

Parts (default: all):  ${PARTS.join('  ')}

  --runs N           of each distribution (20)
  --rounds N         of throughput and shared, after one that warms up (3)
  --lines N          of 200 bytes, for throughput; shared takes a tenth (1000000)
  --pairs N          of a source and a sink with two tasks each, for failover, leave, join, rolling (3)
  --quiet-seconds N  for heartbeats (30)
  --minutes N        no part begins another run after so many (20)
  --version V        of RocketMQ: ${Object.values(ROCKETMQ_VERSIONS).join(', ')} (${ROCKETMQ_VERSIONS.oldest})
  --broker KEY=VALUE a setting of the broker; may be repeated
  --log embedded     a cluster on one shared store, without a broker: ${EMBEDDED_PARTS.join(', ')}

One JSON line a part on standard output, progress and a summary on standard error. Ends with 1 when a record was lost.
`;

/** Null: help was asked for. Throws where an argument is wrong. */
export function parseOptions(args: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      runs: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' },
      lines: { type: 'string', default: '1000000' },
      pairs: { type: 'string', default: '3' },
      'quiet-seconds': { type: 'string', default: '30' },
      minutes: { type: 'string', default: '20' },
      version: { type: 'string', default: ROCKETMQ_VERSIONS.oldest },
      broker: { type: 'string', multiple: true, default: [] },
      log: { type: 'string', default: 'rocketmq' },
    },
  });
  if (values.help) return null;
  const { log } = values;
  if (log !== 'rocketmq' && log !== 'embedded') throw new Error(`--log is rocketmq or embedded, not ${log}`);
  const possible = log === 'embedded' ? EMBEDDED_PARTS : PARTS;
  return {
    parts: positionals.length === 0 ? possible : positionals.map((name) => partOf(name, possible)),
    log,
    version: values.version,
    rounds: wholeNumber('rounds', values.rounds),
    runs: wholeNumber('runs', values.runs),
    lines: wholeNumber('lines', values.lines),
    pairs: wholeNumber('pairs', values.pairs),
    quietSeconds: wholeNumber('quiet-seconds', values['quiet-seconds']),
    minutes: wholeNumber('minutes', values.minutes),
    broker: Object.fromEntries(values.broker.map(setting)),
  };
}

function partOf(name: string, possible: readonly Part[]): Part {
  const part = possible.find((one) => one === name);
  if (part === undefined) throw new Error(`there is no part ${name} here: ${possible.join(', ')}`);
  return part;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} is a whole number from 1, not ${text}`);
  return value;
}

function setting(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`--broker takes key=value, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
