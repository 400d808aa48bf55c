/** Names that rotation gives: `app.log` becomes `app.log.1`, `app.log-20240131`, `app.1.log` or `app-2024-01-31.log`. */
import { basename, dirname, extname, join } from 'node:path';

const DATE = String.raw`\d{4}-?\d{2}-?\d{2}(?:[-.T_]?\d{2,6})?`;
const AFTER = new RegExp(String.raw`(?:\.\d{1,9}|[-._]${DATE}|\.old)$`);
const BEFORE_EXTENSION = new RegExp(String.raw`(?:[-.]\d{1,3}|[-._]${DATE})$`);

/** The name a file had before it was rotated: the same for all files of one rotation. */
export function familyOf(path: string): string {
  const name = basename(path);
  const plain = name.replace(AFTER, '');
  const base = plain === '' ? name : plain;
  const extension = extname(base);
  const stem = base.slice(0, base.length - extension.length);
  const plainStem = stem.replace(BEFORE_EXTENSION, '');
  return join(dirname(path), (plainStem === '' ? stem : plainStem) + extension);
}

/** Whether a file name looks like one that `path` was given when it was rotated away. */
export function isRotatedName(name: string, path: string): boolean {
  const base = basename(path);
  if (name === base) return false;
  if (name.startsWith(base)) return AFTER.test(name) && name.replace(AFTER, '') === base;
  const extension = extname(base);
  const stem = base.slice(0, base.length - extension.length);
  if (extension === '' || !name.startsWith(stem) || !name.endsWith(extension)) return false;
  return name.slice(0, name.length - extension.length).replace(BEFORE_EXTENSION, '') === stem;
}
