/** Time zones in a text: offsets, and the names of UTC. Names of others mean several zones, and change with the summer. */

export interface FoundZone {
  /** East of UTC. */
  readonly minutes: number;
  /** Behind it. */
  readonly end: number;
}

const NAMES = ['coordinated universal time', 'greenwich mean time', 'utc', 'gmt'];

/** `+0530`, `GMT+5:30`, `GMT`, `UTC`. */
export function namedZone(text: string, at: number): FoundZone | null {
  if (text[at] === '+' || text[at] === '-')
    return numericZone(text, at, { digits: 'hhmm', colon: false, short: false });
  const lower = text.slice(at, at + 30).toLowerCase();
  if (lower.startsWith('gmt')) {
    const end = at + 3;
    if (text[end] !== '+' && text[end] !== '-') return { minutes: 0, end };
    return numericZone(text, end, { digits: 'hhmm', colon: true, short: true });
  }
  const name = NAMES.find((one) => lower.startsWith(one));
  return name === undefined ? null : { minutes: 0, end: at + name.length };
}

interface ZoneForm {
  readonly digits: 'hh' | 'hhmm';
  readonly colon: boolean;
  /** Whether an hour may have one digit. */
  readonly short: boolean;
}

/** A sign and what `form` says. */
export function numericZone(text: string, at: number, form: ZoneForm): FoundZone | null {
  const hours = form.short ? '(\\d{1,2})' : '(\\d\\d)';
  const minutes = form.digits === 'hh' ? '' : `${form.colon ? ':' : ''}(\\d\\d)`;
  const pattern = new RegExp(`([+-])${hours}${minutes}`, 'y');
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (found === null) return null;
  const [, sign, hour = '0', minute = '0'] = found;
  if (Number(hour) > 23 || Number(minute) > 59) return null;
  const total = Number(hour) * 60 + Number(minute);
  return { minutes: sign === '-' ? -total : total, end: pattern.lastIndex };
}
