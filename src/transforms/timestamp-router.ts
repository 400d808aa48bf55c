import { ConfigError, DataError, withTopic } from '../sdk/index.js';
import type { Plugin, Transform } from '../sdk/index.js';

/** Puts the time of the record into the name of its topic. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'topic.format',
      type: 'STRING',
      defaultValue: '${topic}-${timestamp}',
      importance: 'HIGH',
      documentation: 'The new name: ${topic} and ${timestamp} stand for the old name and the time.',
    },
    {
      name: 'timestamp.format',
      type: 'STRING',
      defaultValue: 'yyyyMMdd',
      importance: 'HIGH',
      documentation:
        "How the time is written, in UTC: y M d H h m s S a E and text in ' ', as Java's SimpleDateFormat has them.",
      validator: (value) => {
        try {
          parseFormat(String(value));
          return null;
        } catch (error) {
          return error instanceof Error ? error.message : String(error);
        }
      },
    },
  ],
  create: (config) => {
    const topicFormat = config.string('topic.format');
    const format = parseFormat(config.string('timestamp.format'));
    return {
      apply: (record) => {
        const { topic, timestamp } = record;
        if (topic === null) return record;
        if (timestamp === null) {
          throw new DataError('TimestampRouter: the record has no timestamp', { code: 'NO_TIMESTAMP' });
        }
        const date = new Date(timestamp);
        const time = format.map((part) => part(date)).join('');
        const name = topicFormat.replace(/\$\{(topic|timestamp)\}/g, (_, what) =>
          what === 'topic' ? topic : time,
        );
        return withTopic(record, name);
      },
    };
  },
};

type FormatPart = (date: Date) => string;

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const number =
  (of: (date: Date) => number) =>
  (width: number): FormatPart =>
  (date) =>
    String(of(date)).padStart(width, '0');

const LETTERS: ReadonlyMap<string, (width: number) => FormatPart> = new Map([
  [
    'y',
    (width: number) => (date: Date) => {
      const year = String(date.getUTCFullYear());
      return width === 2 ? year.slice(-2) : year.padStart(width, '0');
    },
  ],
  [
    'M',
    (width: number) => (date: Date) => {
      const name = MONTHS[date.getUTCMonth()] ?? '';
      if (width > 2) return width === 3 ? name.slice(0, 3) : name;
      return String(date.getUTCMonth() + 1).padStart(width, '0');
    },
  ],
  [
    'E',
    (width: number) => (date: Date) => {
      const name = DAYS[date.getUTCDay()] ?? '';
      return width > 3 ? name : name.slice(0, 3);
    },
  ],
  ['d', number((date) => date.getUTCDate())],
  ['H', number((date) => date.getUTCHours())],
  ['h', number((date) => date.getUTCHours() % 12 || 12)],
  ['m', number((date) => date.getUTCMinutes())],
  ['s', number((date) => date.getUTCSeconds())],
  ['S', number((date) => date.getUTCMilliseconds())],
  ['a', () => (date: Date) => (date.getUTCHours() < 12 ? 'AM' : 'PM')],
]);

function parseFormat(text: string): readonly FormatPart[] {
  const parts: FormatPart[] = [];
  for (const [token, quoted] of text.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)) {
    const letter = LETTERS.get(token[0] ?? '');
    if (quoted !== undefined || !/^[A-Za-z']/.test(token)) {
      const literal = quoted === '' ? "'" : (quoted ?? token).replaceAll("''", "'");
      parts.push(() => literal);
    } else if (letter !== undefined) {
      parts.push(letter(token.length));
    } else {
      throw new ConfigError(
        `${JSON.stringify(token)} is not supported in a time format: use ${[...LETTERS.keys()].join(' ')} and text in ' '`,
        { field: 'timestamp.format' },
      );
    }
  }
  return parts;
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
