/** Where a new sink begins, said for all of its topics at once: `initial_offsets` as a word or a time. */
import { commonDefinition, topicsRegex } from '../plugins/config-common.js';
import { parseConfig } from '../sdk/config-parse.js';
import { javaPatternProblem } from '../sdk/java-pattern/java-pattern.js';
import type { RouteDeps } from './context.js';
import { HttpError } from './errors.js';
import type { Call, Config } from './runtime.js';

export type Start = 'earliest' | 'latest' | { readonly timestamp: number };

interface StartOffset {
  readonly partition: { readonly kafka_topic: string; readonly kafka_partition: number };
  readonly offset: { readonly kafka_offset: number };
}

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** HttpError BODY_INVALID. */
export function parseStart(given: string): Start {
  const word = given.trim();
  if (word === 'earliest' || word === 'latest') return word;
  const timestamp = ISO.test(word) ? Date.parse(word) : NaN;
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return { timestamp };
  const reason =
    'must be a list of offsets, or of a sink earliest, latest or a time with its zone, such as 2026-03-01T08:30:00Z';
  throw new HttpError('BODY_INVALID', `The body is invalid: initial_offsets ${reason}.`, {
    fields: [{ field: 'initial_offsets', value: word.slice(0, 100), reason }],
  });
}

/**
 * In the queues that there are: what comes later begins at its beginning, as nobody could tell what of it had come before. Empty: there are
 * none, or that is where a sink begins anyway.
 */
export async function startOffsets(
  { runtime }: Pick<RouteDeps, 'runtime'>,
  call: Call,
  config: Config,
  start: Start,
): Promise<readonly StartOffset[]> {
  if (start === 'earliest') return [];
  const offsets: StartOffset[] = [];
  for (const topic of await topicsOf({ runtime }, call, config)) {
    const details = await runtime.topic(call, topic);
    if (details === null) continue;
    const begins =
      start === 'latest'
        ? details.queues.map(({ queue, endOffset }) => ({ queue, at: endOffset }))
        : await since({ runtime }, call, topic, start.timestamp);
    for (const { queue, at } of begins)
      offsets.push({
        partition: { kafka_topic: topic, kafka_partition: queue },
        offset: { kafka_offset: at },
      });
  }
  return offsets;
}

async function since(
  { runtime }: Pick<RouteDeps, 'runtime'>,
  call: Call,
  topic: string,
  timestamp: number,
): Promise<readonly { readonly queue: number; readonly at: number }[]> {
  const from = { kind: 'timestamp', timestamp } as const;
  const { queues } = await runtime.records(call, {
    topic,
    queue: null,
    from,
    limit: 1,
    converters: { config: {} },
  });
  return queues.map(({ queue, from: at }) => ({ queue, at }));
}

/** What is wrong with the keys is told when the connector is made. */
async function topicsOf(
  { runtime }: Pick<RouteDeps, 'runtime'>,
  call: Call,
  raw: Config,
): Promise<readonly string[]> {
  const { config } = parseConfig(commonDefinition('sink'), raw);
  const regex = config.stringOrNull('topics.regex') ?? '';
  if (regex === '' || javaPatternProblem(regex) !== null) return [...new Set(config.list('topics'))];
  const pattern = topicsRegex(regex);
  return (await runtime.topics(call)).map(({ name }) => name).filter((name) => pattern.test(name));
}
