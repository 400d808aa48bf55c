/** Times read as Java's SimpleDateFormat reads them, with all that it lets pass. */
import { DAYS, MONTHS, type DatePiece } from './date-pattern.js';
import { CalendarFields, type CalendarField } from './calendar-fields.js';
import { namedZone, numericZone } from './date-zones.js';

/** The text, the place in it, and where what was read is put. */
interface Reading {
  readonly text: string;
  readonly fields: CalendarFields;
}

/** The place behind what was read, or -1. `start` is before blanks. `fixed`: so many characters from `start`, as another number follows. */
type Reader = (reading: Reading, start: number, count: number, fixed: boolean) => number;

const WEEKS = 'YwWF';
const NUMBERS = 'yMLdDuHkKhmsS';
/** Of a year in two digits: from so long ago. */
const CENTURY_BEFORE = 80;
const YEAR_MS = 31_556_952_000;

const names = (lists: readonly (readonly string[])[]): readonly (readonly [string, number])[] =>
  lists.flatMap((list) => list.map((name, i) => [name.toLowerCase(), i] as const));
const short = (list: readonly string[]): readonly string[] => list.map((name) => name.slice(0, 3));

const MONTH_NAMES = names([MONTHS, short(MONTHS)]);
const DAY_NAMES = names([DAYS, short(DAYS)]);
const ERAS = names([
  ['BC', 'AD'],
  ['Before Christ', 'Anno Domini'],
]);
const HALVES = names([['AM', 'PM']]);

const READERS: ReadonlyMap<string, Reader> = new Map([
  ['G', name('era', ERAS)],
  ['y', year],
  ['M', month],
  ['L', month],
  ['d', numeric('day')],
  ['D', numeric('dayOfYear')],
  ['E', name('weekday', DAY_NAMES)],
  ['u', isoWeekday],
  ['a', name('half', HALVES)],
  ['H', numeric('hourOfDay')],
  ['k', numeric('hourOfDay', 24)],
  ['K', numeric('hour')],
  ['h', numeric('hour', 12)],
  ['m', numeric('minute')],
  ['s', numeric('second')],
  ['S', numeric('millisecond')],
  ['z', zone],
  ['Z', zone],
  ['X', isoZone],
]);

/** Why times in this pattern are not read, or null. */
export function unreadable(pieces: readonly DatePiece[]): string | null {
  const week = pieces.find((piece) => 'letter' in piece && WEEKS.includes(piece.letter));
  if (week === undefined || !('letter' in week)) return null;
  return `times by weeks (the letter ${week.letter}) are written, but not read`;
}

export function dateReader(pieces: readonly DatePiece[]): (text: string) => number | null {
  return (text) => {
    const reading = { text, fields: new CalendarFields() };
    let at = 0;
    for (const [i, piece] of pieces.entries()) {
      if ('text' in piece) {
        if (!text.startsWith(piece.text, at)) return null;
        at += piece.text.length;
        continue;
      }
      const next = pieces[i + 1];
      const fixed = next !== undefined && 'letter' in next && isNumber(next.letter, next.count);
      at = READERS.get(piece.letter)?.(reading, at, piece.count, fixed) ?? -1;
      if (at < 0) return null;
    }
    return at === 0 ? null : reading.fields.time();
  };
}

function isNumber(letter: string, count: number): boolean {
  return NUMBERS.includes(letter) && (count <= 2 || !'ML'.includes(letter));
}

/** The place of what is not a blank, or -1. */
function afterBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at < text.length ? at : -1;
}

interface Digits {
  readonly value: number;
  readonly from: number;
  readonly end: number;
}

/** As Java's DecimalFormat reads whole numbers, with a minus and an exponent. */
function digits(text: string, start: number, count: number, fixed: boolean): Digits | null {
  const from = afterBlanks(text, start);
  if (from < 0 || (fixed && start + count > text.length)) return null;
  const pattern = /-?\d+(?:E-?\d+)?/y;
  pattern.lastIndex = from;
  const found = pattern.exec(fixed ? text.slice(0, start + count) : text);
  if (found === null) return null;
  return { value: asInt(found[0]), from, end: pattern.lastIndex };
}

/** What Java's `intValue` makes of a long, and of what is longer. */
function asInt(text: string): number {
  const number = Math.trunc(Number(text));
  if (Math.abs(number) < 2 ** 31) return number;
  if (Number.isSafeInteger(number)) return Number(BigInt.asIntN(32, BigInt(number)));
  return number > 0 ? 0x7fffffff : -0x80000000;
}

/** `full` is written for 0, as 24 hours are. */
function numeric(field: CalendarField, full?: number): Reader {
  return ({ text, fields }, start, count, fixed) => {
    const found = digits(text, start, count, fixed);
    if (found === null) return -1;
    fields.set(field, found.value === full ? 0 : found.value);
    return found.end;
  };
}

/** 1 is Monday; beyond 7 it is counted from Sunday, as in Java. */
function isoWeekday({ text, fields }: Reading, start: number, count: number, fixed: boolean): number {
  const found = digits(text, start, count, fixed);
  if (found === null) return -1;
  const { value } = found;
  fields.set('weekday', value >= 1 && value <= 7 ? value % 7 : value - 1);
  return found.end;
}

function year({ text, fields }: Reading, start: number, count: number, fixed: boolean): number {
  const found = digits(text, start, count, fixed);
  if (found === null) return -1;
  const inCentury = count <= 2 && /^\d\d$/.test(text.slice(found.from, found.end));
  if (inCentury) fields.setYearOfCentury(found.value, new Date(Date.now() - CENTURY_BEFORE * YEAR_MS));
  else fields.set('year', found.value);
  return found.end;
}

function month(reading: Reading, start: number, count: number, fixed: boolean): number {
  if (count > 2) return name('month', MONTH_NAMES)(reading, start, count, fixed);
  const found = digits(reading.text, start, count, fixed);
  if (found === null) return -1;
  reading.fields.set('month', found.value - 1);
  return found.end;
}

/** The longest name that stands there, in large or small letters. Blanks before it are not passed over. */
function name(field: CalendarField, list: readonly (readonly [string, number])[]): Reader {
  return ({ text, fields }, start) => {
    if (afterBlanks(text, start) < 0) return -1;
    let best: readonly [string, number] = ['', -1];
    for (const one of list) {
      const there = text.slice(start, start + one[0].length).toLowerCase();
      if (one[0].length > best[0].length && there === one[0]) best = one;
    }
    if (best[0] === '') return -1;
    fields.set(field, best[1]);
    return start + best[0].length;
  };
}

function zone({ text, fields }: Reading, start: number): number {
  const at = afterBlanks(text, start);
  const found = at < 0 ? null : namedZone(text, at);
  if (found === null) return -1;
  fields.set('zone', found.minutes);
  return found.end;
}

function isoZone({ text, fields }: Reading, start: number, count: number): number {
  const at = afterBlanks(text, start);
  if (at < 0) return -1;
  if (text[at] === 'Z') {
    fields.set('zone', 0);
    return at + 1;
  }
  const found = numericZone(text, at, {
    digits: count === 1 ? 'hh' : 'hhmm',
    colon: count === 3,
    short: false,
  });
  if (found === null) return -1;
  fields.set('zone', found.minutes);
  return found.end;
}
