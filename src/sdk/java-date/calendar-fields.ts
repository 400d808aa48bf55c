/** Parts of a time, of which the later ones win where they contradict each other, as in Java's lenient calendar. */
import { DAY_MS } from './date-pattern.js';

/** A month from 0 on, a weekday from Sunday, 0, on. */
export type CalendarField =
  | 'era'
  | 'year'
  | 'month'
  | 'day'
  | 'dayOfYear'
  | 'weekday'
  | 'half'
  | 'hour'
  | 'hourOfDay'
  | 'minute'
  | 'second'
  | 'millisecond'
  | 'zone';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export class CalendarFields {
  /** In the order in which they were set. */
  readonly #values = new Map<CalendarField, number>();
  #centuryStart: Date | null = null;

  set(field: CalendarField, value: number): void {
    this.#values.delete(field);
    this.#values.set(field, value);
  }

  /** A year in two digits, of the hundred years that begin at `start`. */
  setYearOfCentury(value: number, start: Date): void {
    const first = start.getUTCFullYear();
    const century = first - (first % 100);
    this.#centuryStart = value === first % 100 ? start : null;
    this.set('year', century + value + (value < first % 100 ? 100 : 0));
  }

  /** Milliseconds since 1970, or null where a Date cannot hold it. */
  time(): number | null {
    const time = this.#timeIn(this.#get('year', 1970));
    if (this.#centuryStart !== null && time < this.#centuryStart.getTime())
      return valid(this.#timeIn(this.#get('year', 1970) + 100));
    return valid(time);
  }

  #timeIn(yearOfEra: number): number {
    const year = this.#get('era', 1) === 0 ? 1 - yearOfEra : yearOfEra;
    return (
      this.#dayIn(year) +
      this.#hours() * HOUR_MS +
      (this.#get('minute') - this.#get('zone')) * MINUTE_MS +
      this.#get('second') * 1000 +
      this.#get('millisecond')
    );
  }

  #dayIn(year: number): number {
    const byYear = this.#isLast('dayOfYear', 'day') && this.#values.has('dayOfYear');
    const first = new Date(0);
    // Not Date.UTC, for which the years 0 to 99 are of the last century.
    first.setUTCFullYear(year, byYear ? 0 : this.#get('month'), 1);
    const day = byYear
      ? this.#get('dayOfYear', 1)
      : this.#get('day', this.#firstOfWeekday(first.getUTCDay()));
    return first.getTime() + (day - 1) * DAY_MS;
  }

  /** Without a day of the month a day of the week is the first one in it. */
  #firstOfWeekday(ofFirst: number): number {
    const weekday = this.#values.get('weekday');
    return weekday === undefined ? 1 : 1 + ((((weekday - ofFirst) % 7) + 7) % 7);
  }

  #hours(): number {
    const both = this.#values.has('hour') && this.#values.has('half');
    const last = this.#isLast('hourOfDay', 'hour') && this.#isLast('hourOfDay', 'half');
    if (this.#values.has('hourOfDay') && (!both || last)) return this.#get('hourOfDay');
    return this.#get('hour') + 12 * this.#get('half');
  }

  /** Whether `field` was set after `other`. */
  #isLast(field: CalendarField, other: CalendarField): boolean {
    const order = [...this.#values.keys()];
    return order.indexOf(field) >= order.indexOf(other);
  }

  #get(field: CalendarField, unset = 0): number {
    return this.#values.get(field) ?? unset;
  }
}

function valid(time: number): number | null {
  return Number.isNaN(new Date(time).getTime()) ? null : time;
}
