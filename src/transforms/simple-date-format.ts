/** Times written as Java's SimpleDateFormat writes them in UTC, in English, with weeks as in the United States. */

export type TimeFormat = (ms: number) => string;

/** `count`: how often the letter stands. */
type Letter = (date: Date, count: number) => string;

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const DAY_MS = 86_400_000;

const number =
  (of: (date: Date) => number): Letter =>
  (date, count) =>
    String(of(date)).padStart(count, '0');

const year =
  (of: (date: Date) => number): Letter =>
  (date, count) =>
    count === 2 ? String(of(date) % 100).padStart(2, '0') : String(of(date)).padStart(count, '0');

const month: Letter = (date, count) => {
  const name = MONTHS[date.getUTCMonth()] ?? '';
  if (count > 2) return count === 3 ? name.slice(0, 3) : name;
  return String(date.getUTCMonth() + 1).padStart(count, '0');
};

const LETTERS: ReadonlyMap<string, Letter> = new Map([
  ['G', (date) => (date.getUTCFullYear() > 0 ? 'AD' : 'BC')],
  ['y', year((date) => yearOfEra(date.getUTCFullYear()))],
  ['Y', year((date) => yearOfEra(endOfWeek(date).getUTCFullYear()))],
  ['M', month],
  ['L', month],
  ['w', number((date) => weekFrom(dayOfYear(endOfWeek(date)), 6))],
  ['W', number((date) => weekFrom(date.getUTCDate(), date.getUTCDay()))],
  ['D', number(dayOfYear)],
  ['d', number((date) => date.getUTCDate())],
  ['F', number((date) => Math.ceil(date.getUTCDate() / 7))],
  [
    'E',
    (date, count) => {
      const name = DAYS[date.getUTCDay()] ?? '';
      return count > 3 ? name : name.slice(0, 3);
    },
  ],
  ['u', number((date) => date.getUTCDay() || 7)],
  ['a', (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM')],
  ['H', number((date) => date.getUTCHours())],
  ['k', number((date) => date.getUTCHours() || 24)],
  ['K', number((date) => date.getUTCHours() % 12)],
  ['h', number((date) => date.getUTCHours() % 12 || 12)],
  ['m', number((date) => date.getUTCMinutes())],
  ['s', number((date) => date.getUTCSeconds())],
  ['S', number((date) => date.getUTCMilliseconds())],
  ['z', (_, count) => (count > 3 ? 'Coordinated Universal Time' : 'UTC')],
  ['Z', () => '+0000'],
  ['X', () => 'Z'],
]);

/** A problem as text when it is no format. */
export function parseTimeFormat(format: string): TimeFormat | { readonly problem: string } {
  const parts: TimeFormat[] = [];
  for (const [token, quoted] of format.matchAll(/''|'((?:[^']|'')+)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)) {
    const char = token[0] ?? '';
    if (token === "'") return { problem: "has a ' without another: text in a time stands between two '" };
    if (quoted !== undefined || !/[A-Za-z]/.test(char)) {
      const text = (quoted ?? token).replaceAll("''", "'");
      parts.push(() => text);
      continue;
    }
    const letter = LETTERS.get(char);
    if (letter === undefined || (char === 'X' && token.length > 3))
      return {
        problem: `${JSON.stringify(token)} is nothing in a time format: there are ${[...LETTERS.keys()].join(' ')}, and text in ' '`,
      };
    parts.push((ms) => letter(new Date(ms), token.length));
  }
  return (ms) => parts.map((part) => part(ms)).join('');
}

function yearOfEra(yearBefore: number): number {
  return yearBefore > 0 ? yearBefore : 1 - yearBefore;
}

/** The Saturday: a week belongs to the year, and to the month, that its last day is in. */
function endOfWeek(date: Date): Date {
  return new Date(date.getTime() + (6 - date.getUTCDay()) * DAY_MS);
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}

/** Which week the day is in, when the first one, however short, is 1. */
function weekFrom(day: number, weekday: number): number {
  return Math.ceil((day + 6 - weekday) / 7);
}
