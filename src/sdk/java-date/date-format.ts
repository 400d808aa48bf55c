/** Times as Java's SimpleDateFormat has them in UTC, in English, with weeks as in the United States. */
import { DAY_MS, DAYS, MONTHS, parseDatePattern, type DatePiece } from './date-pattern.js';
import { dateReader, unreadable } from './date-reader.js';

export interface JavaDateFormat {
  /** Milliseconds since 1970 as text. */
  format(ms: number): string;
  /** Milliseconds since 1970; null for a text that is no such time. What follows the time is left out, and a 13th month is the first of the next year, as in Java. */
  parse(text: string): number | null;
  /** Why it only writes times; null when it reads them as well. */
  readonly unreadable: string | null;
}

type Letter = (date: Date, count: number) => string;

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
export function javaDateFormat(pattern: string): JavaDateFormat | { readonly problem: string } {
  const pieces = parseDatePattern(pattern);
  if ('problem' in pieces) return pieces;
  const parts = pieces.map(writerOf);
  return {
    format: (ms) => {
      const date = new Date(ms);
      let text = '';
      for (const part of parts) text += part(date);
      return text;
    },
    parse: dateReader(pieces),
    unreadable: unreadable(pieces),
  };
}

function writerOf(piece: DatePiece): (date: Date) => string {
  if ('text' in piece) return () => piece.text;
  const { letter, count } = piece;
  const write = LETTERS.get(letter);
  if (write === undefined) throw new TypeError(`the letter ${letter} is not written`);
  return (date) => write(date, count);
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
