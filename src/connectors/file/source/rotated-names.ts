/**
 * Names that rotation gives. Where the file that was followed is found again, its new name shows the scheme, whatever
 * it is; only where it is gone the usual schemes are tried: `app.log.1`, `app.log-20240131`, `app.1.log` and the like.
 */
import { basename, dirname, extname, join } from 'node:path';

/** Endings of compressed files: their lines are not in them as text. */
export const COMPRESSED = ['.gz', '.zip', '.bz2', '.xz', '.zst', '.lz4'];

/** A run of letters and digits with a digit in it: what counts or dates a file. */
const RUN = /[A-Za-z]*\d[A-Za-z\d]*/g;
const COUNTER = String.raw`(?:[-._]\d+)?`;

const DATE = String.raw`\d{4}-?\d{2}-?\d{2}(?:[-._:T]?\d+)*Z?`;
const AFTER = new RegExp(String.raw`(?:\.\d{1,9}|[-._]{1,2}${DATE}|\.old)$`);
const BEFORE_EXTENSION = new RegExp(String.raw`(?:[-.]\d{1,9}|[-._]{1,2}${DATE})$`);

/** What daemontools and runit make of `current`. */
const TAI64N = /^@[0-9a-f]{24}\.[su]$/;

/** null: no compressed file is called so. */
export function nameBeforeCompression(name: string): string | null {
  const ending = COMPRESSED.find((item) => name.endsWith(item));
  return ending === undefined ? null : name.slice(0, -ending.length);
}

/** Whether a file called `name` looks like one that `base` was when it was rotated away. */
export function isRotatedName(name: string, base: string): boolean {
  if (name === base) return false;
  if (name.startsWith(base)) return AFTER.test(name) && name.replace(AFTER, '') === base;
  const extension = extname(base);
  const stem = base.slice(0, base.length - extension.length);
  if (extension === '' || !name.startsWith(stem) || !name.endsWith(extension)) return false;
  return name.slice(0, name.length - extension.length).replace(BEFORE_EXTENSION, '') === stem;
}

/** Whether `base` may have been renamed to `name` by rotation: it holds the same stem. */
export function sharesStem(name: string, base: string): boolean {
  if (name === base) return false;
  if (base === 'current' && TAI64N.test(name)) return true;
  const stem = stemOf(base);
  const at = name.indexOf(stem);
  if (at < 0) return false;
  return !isLetter(name[at - 1]) && !isLetter(name[at + stem.length]);
}

/**
 * The scheme that renames `base` to `sample`, as a test of names. What both have in common is kept as it is; in what
 * `sample` has of its own, runs with digits stand for any others. So `app-errors.log` or `app-2.log.1` are never taken
 * for pieces of `app.log` when that became `app.log.1`. A counter may follow: `app-2024-01-31.log`, `app-2024-01-31.1.log`.
 */
export function schemeOf(sample: string, base: string): (name: string) => boolean {
  if (TAI64N.test(sample)) return (name) => TAI64N.test(name);
  const from = commonStart(sample, base);
  const until = commonEnd(sample, base, from);
  const own = sample.slice(from, sample.length - until);
  const counted = own.replace(/[-._]\d+$/, '');
  const shape = `(?:${shapeOf(own)}|${shapeOf(/\d/.test(counted) ? counted : own)})${COUNTER}`;
  const start = literal(sample.slice(0, from));
  const pattern = new RegExp(`^${start}${shape}${literal(sample.slice(sample.length - until))}$`);
  return (name) => name !== base && (name === sample || pattern.test(name));
}

/** Equal for all files of one rotation, and for others that differ in numbers only. */
export function familyOf(path: string): string {
  const name = basename(path)
    .replace(/\.old$/, '')
    .replace(/(?:[-._@:+]*|(?<=\d)T)\d+(?:Z\b)?/g, '');
  return join(dirname(path), name);
}

/** `base` without its extension and the number before it. */
function stemOf(base: string): string {
  const stem = base.slice(0, base.length - extname(base).length).replace(/[-._\d]+$/, '');
  return stem === '' ? base : stem;
}

/** Never within a number: `app1.log` and `app12.log` have `app` in common. */
function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  while (at > 0 && isDigit(a[at - 1]) && (isDigit(a[at]) || isDigit(b[at]))) at -= 1;
  return at;
}

function commonEnd(a: string, b: string, start: number): number {
  const most = Math.min(a.length, b.length) - start;
  let count = 0;
  while (count < most && a.at(-1 - count) === b.at(-1 - count)) count += 1;
  while (count > 0 && isDigit(a.at(-count)) && (isDigit(a.at(-1 - count)) || isDigit(b.at(-1 - count))))
    count -= 1;
  return count;
}

function shapeOf(text: string): string {
  let shape = '';
  let at = 0;
  for (const { 0: run, index } of text.matchAll(RUN)) {
    shape +=
      literal(text.slice(at, index)) +
      (/^\d+$/.test(run) ? String.raw`\d+` : String.raw`[A-Za-z]*\d[A-Za-z\d]*`);
    at = index + run.length;
  }
  return shape + literal(text.slice(at));
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}

function isLetter(char: string | undefined): boolean {
  return char !== undefined && /\p{L}/u.test(char);
}
