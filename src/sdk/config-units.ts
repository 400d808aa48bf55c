/** Durations and sizes as people write them: `30 s`, `1h 30min`, `64 MiB`. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** Milliseconds; a number alone counts them. null: it is none, or no whole number of milliseconds below 2^53. */
export function parseDuration(text: string): number | null {
  return parseUnits(text, DURATION_UNITS);
}

/** Bytes; a number alone counts them. kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of 1024. null: as above. */
export function parseSize(text: string): number | null {
  return parseUnits(text, SIZE_UNITS);
}

const PART = /^(\d{1,16})(?:\.(\d{1,9}))? ?([a-z]*) ?/;

function parseUnits(text: string, units: Readonly<Record<string, number>>): number | null {
  let rest = text.trim().toLowerCase();
  let sum = 0;
  let before = Infinity;
  if (rest === '') return null;
  while (rest !== '') {
    const [part, whole = '', fraction = '', name = ''] = PART.exec(rest) ?? [];
    if (part === undefined) return null;
    const unit = name === '' ? 1 : Object.hasOwn(units, name) ? units[name] : undefined;
    // The parts come from the largest unit to the smallest, each once, so that `5m 3h` is seen as the mistake that it is.
    if (unit === undefined || unit >= before) return null;
    const scale = 10 ** fraction.length;
    const scaled = BigInt(whole + fraction) * BigInt(unit);
    if (scaled % BigInt(scale) !== 0n) return null;
    sum += Number(scaled / BigInt(scale));
    if (!Number.isSafeInteger(sum)) return null;
    before = name === '' ? 0 : unit;
    rest = rest.slice(part.length);
  }
  return sum;
}

/** As `parseDuration` reads it, in the largest unit that divides it. */
export function formatDuration(ms: number): string {
  return format(ms, [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
    ['ms', 1],
  ]);
}

/** As `parseSize` reads it, in the largest binary unit that divides it. */
export function formatSize(bytes: number): string {
  return format(bytes, [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
    ['B', 1],
  ]);
}

function format(value: number, units: readonly (readonly [string, number])[]): string {
  const [name, unit] = units.find(([, each]) => value >= each && value % each === 0) ?? ['', 1];
  return name === '' ? String(value) : `${value / unit} ${name}`;
}
