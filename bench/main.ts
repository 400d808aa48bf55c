/**
 * `npm run bench -- [--lines N] [--rounds N] [--no-kafka] [--only many [--sinks N] | --only converters | --only dead-letters]`: one JSON document on standard output, progress on standard
 * error. Records are counted at the far end. Both systems do the same work in turn within one run, warmed up alike; each round runs
 * Troupe twice, so that the spread between two equal runs (`control`) can be held against the difference.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { converterRates } from './converters.js';
import { writeLines } from './input.js';
import {
  kafkaAvailable,
  prepareKafka,
  runFileToTopicToFile,
  threeTransforms,
} from './kafka/kafka-connect.js';
import { manySinks } from './many.js';
import { appendLatency, appendToSink, idleCost, startAndIdle } from './small-figures.js';
import { spread, type Spread } from './statistics.js';
import { deadLetterStorm, fileToTopic, fileToTopicToFile, type Throughput } from './throughput.js';

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    'no-kafka': { type: 'boolean', default: false },
    cache: { type: 'string', default: '.bench' },
    only: { type: 'string' },
    sinks: { type: 'string', default: '1000' },
  },
});
const lines = Number(values.lines);
const rounds = Number(values.rounds);
const PARTS = ['many', 'converters', 'dead-letters'];
if (values.only !== undefined && !PARTS.includes(values.only))
  throw new Error(
    `--only ${PARTS.join(' or ')}, not ${values.only}: there are no other parts to be had alone`,
  );
const LINE_BYTES = 200;
/** Passes before the one that counts, in the same process: the rates people know are those of a warm one. */
const WARM_UPS = 1;

interface Case {
  readonly troupe: Throughput[];
  /** The second Troupe run of each round over the first: 1 on a quiet machine. */
  readonly control: number[];
  readonly kafkaConnect: Awaited<ReturnType<typeof runFileToTopicToFile>>[];
}

interface Rates {
  readonly troupeRecordsPerSecond: Spread;
  readonly kafkaConnectRecordsPerSecond: Spread | null;
  readonly ratioOfMedians: number | null;
}

interface Summary extends Rates {
  /** The same of the first pass after the start. */
  readonly firstPass: Rates;
  readonly control: Spread;
  readonly runs: Case;
}

const work = mkdtempSync(join(tmpdir(), 'troupe-bench-'));
try {
  process.stdout.write(`${JSON.stringify(await run(), null, 2)}\n`);
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 3 });
}

async function run(): Promise<object> {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
  if (values.only === 'many') return { machine, ...(await many()) };
  if (values.only === 'converters') return { machine, converters: await step('converters', converterRates) };
  const input = join(work, 'input.txt');
  say(`writing ${lines} lines of ${LINE_BYTES} bytes`);
  await writeLines(input, lines, LINE_BYTES);
  const deadLetters = (): Promise<object> =>
    step('dead letters', () => deadLetterStorm(folder('dead'), input, lines, WARM_UPS));
  if (values.only === 'dead-letters') return { machine, lines, deadLetters: await deadLetters() };
  const small = {
    start: await step('start and idle', () => startAndIdle(folder('start'))),
    idleTasks: await step('100 idle tasks', () => idleCost(folder('idle'), 100)),
    ...(await many()),
    convertersPerSecondOfCpu: await step('converters', converterRates),
    appendLatencyMs: await step('append latency', () => appendLatency(folder('append'))),
    deadLetters: await deadLetters(),
    appendToSinkMs: await step('line to sink', () => appendToSink(folder('latency'))),
  };
  const string = await compare('string', input);
  const json = await compare('json', input);
  return { machine, lines, lineBytes: LINE_BYTES, rounds, ...small, string, jsonWithThreeTransforms: json };
}

async function many(): Promise<object> {
  const sinks = Number(values.sinks);
  return { manySinks: await step(`${sinks} sinks`, () => manySinks(folder('many'), sinks, 5000)) };
}

async function compare(name: 'string' | 'json', input: string): Promise<Summary> {
  const troupe = name === 'string' ? fileToTopicToFile : fileToTopic;
  const kafka = values['no-kafka'] ? null : await kafkaInstall();
  const result: Case = { troupe: [], control: [], kafkaConnect: [] };
  for (let round = 1; round <= rounds; round += 1) {
    const first = await step(`${name} ${round}: Troupe`, () => troupe(folder('a'), input, lines, WARM_UPS));
    if (kafka !== null) {
      const dir = folder('kafka');
      const options = {
        input,
        output: join(dir, 'output.txt'),
        lines,
        bytes: statSync(input).size,
        install: kafka,
        dir,
        converter: name,
        warmUps: WARM_UPS,
        ...(name === 'json' ? { transforms: threeTransforms } : {}),
      };
      result.kafkaConnect.push(
        await step(`${name} ${round}: Kafka Connect`, () => runFileToTopicToFile(options)),
      );
    }
    const second = await step(`${name} ${round}: Troupe again`, () =>
      troupe(folder('b'), input, lines, WARM_UPS),
    );
    result.troupe.push(first, second);
    result.control.push(second.recordsPerSecond / first.recordsPerSecond);
  }
  return {
    ...rates(result, (one) => one.recordsPerSecond),
    firstPass: rates(result, (one) => one.firstPassRecordsPerSecond),
    control: spread(result.control),
    runs: result,
  };
}

function rates(
  { troupe, kafkaConnect }: Case,
  of: (one: Pick<Throughput, 'recordsPerSecond' | 'firstPassRecordsPerSecond'>) => number,
): Rates {
  const ours = spread(troupe.map(of));
  const theirs = kafkaConnect.length === 0 ? null : spread(kafkaConnect.map(of));
  return {
    troupeRecordsPerSecond: ours,
    kafkaConnectRecordsPerSecond: theirs,
    ratioOfMedians: theirs === null ? null : ours.median / theirs.median,
  };
}

async function kafkaInstall(): Promise<Awaited<ReturnType<typeof prepareKafka>> | null> {
  const available = kafkaAvailable();
  if (available.ok) return prepareKafka(values.cache);
  say(`without Kafka Connect: ${available.reason}`);
  return null;
}

/** Empty, and left to the end of the run. */
function folder(name: string): string {
  const dir = mkdtempSync(join(work, `${name}-`));
  mkdirSync(join(dir, 'connectors'));
  return dir;
}

async function step<T>(what: string, body: () => Promise<T>): Promise<T> {
  say(what);
  const result = await body();
  say(`  ${JSON.stringify(result)}`);
  return result;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
