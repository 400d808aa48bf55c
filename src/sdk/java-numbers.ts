/** Numbers as Java narrows and reads them: what Kafka Connect's transforms make of them depends on it. */
import { Decimal } from './decimal.js';
import { int64 } from './value.js';

const INT32 = 2n ** 31n;
const INT64 = 2n ** 63n;
const FLOAT_TEXT = /^([+-]?)(?:(NaN)|(Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)$/;
/** Beyond it every number is 0 or infinite, and its digits must not fill the memory. */
const MAX_EXPONENT = 5000;

/** Java's `(byte)`, `(short)`, `(int)` and `(long)` of a whole number: the upper bits are lost. */
export function narrowWhole(value: bigint, bits: 8 | 16 | 32 | 64): number | bigint {
  return int64(BigInt.asIntN(bits, value));
}

/** The same of a float or double: what is beyond an int, or a long, stops at its end; only then are upper bits lost. */
export function narrowFloat(value: number, bits: 8 | 16 | 32 | 64): number | bigint {
  if (Number.isNaN(value)) return 0;
  const limit = bits === 64 ? INT64 : INT32;
  if (value >= Number(limit)) return narrowWhole(limit - 1n, bits);
  if (value <= -Number(limit)) return narrowWhole(-limit, bits);
  return narrowWhole(BigInt(Math.trunc(value)), bits);
}

/** Without what follows the point. */
export function wholePart({ unscaled, scale }: Decimal): bigint {
  const power = 10n ** BigInt(Math.abs(scale));
  return scale > 0 ? unscaled / power : unscaled * power;
}

/** The nearest float to a whole number or decimal, which is not always the nearest one to its nearest double. */
export function nearestFloat(value: bigint | Decimal): number {
  const text = typeof value === 'bigint' ? value.toString() : exponentText(value);
  const double = Number(text);
  const float = Math.fround(double);
  if (float === double || !Number.isFinite(double) || !isMidpoint(double)) return float;
  const exact = typeof value === 'bigint' ? new Decimal(value, 0) : value;
  const order = compare(exact, double);
  if (order === 0) return float;
  // The double lies in the middle of two floats, but the number does not.
  const other = Math.fround(double + (double - float));
  return order > 0 ? Math.max(float, other) : Math.min(float, other);
}

/** As Java's `Float.parseFloat` and `Double.parseDouble`, but for numbers in hexadecimal. null: it is no number. */
export function parseFloating(text: string, type: 'FLOAT32' | 'FLOAT64'): number | null {
  const found = FLOAT_TEXT.exec(trimmed(text));
  if (found === null) return null;
  const [, sign = '', nan, infinity, digits = '0'] = found;
  if (nan !== undefined) return NaN;
  const double = Number(infinity ?? digits);
  const negative = sign === '-' ? -1 : 1;
  if (type === 'FLOAT64' || !Number.isFinite(double) || double === 0) return negative * double;
  const exponent = Number(/[eE](.*)$/.exec(digits)?.[1] ?? 0);
  const exact = digits.length + Math.abs(exponent) <= MAX_EXPONENT;
  return negative * (exact ? nearestFloat(Decimal.parse(digits)) : Math.fround(double));
}

/** As Java's `Byte.parseByte`, `Long.parseLong` and so on, for ASCII digits. null: it is no number, or too large. */
export function parseWhole(text: string, bits: 8 | 16 | 32 | 64): number | bigint | null {
  if (!/^[+-]?\d+$/.test(text) || text.replace(/^[+-]?0*/, '').length > 19) return null;
  const value = BigInt(text.replace('+', ''));
  return BigInt.asIntN(bits, value) === value ? int64(value) : null;
}

/** Java's `trim`: blanks and control characters. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start += 1;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return text.slice(start, end);
}

/** A number's exact text, short whatever its scale. */
function exponentText({ unscaled, scale }: Decimal): string {
  return `${unscaled}e${-scale}`;
}

const bits = new DataView(new ArrayBuffer(8));

/** Whether a double lies in the middle of two floats of normal size. */
function isMidpoint(value: number): boolean {
  bits.setFloat64(0, value);
  return (bits.getUint32(4) & 0x1fffffff) === 0x10000000;
}

/** Of a decimal and a double: below 0, 0 or above. */
function compare(decimal: Decimal, double: number): number {
  // A midpoint has few bits behind the point, so its decimal form is exact and finite.
  const exact = Decimal.parse(exactText(double));
  const scale = Math.max(decimal.scale, exact.scale);
  const difference = decimal.withScale(scale).unscaled - exact.withScale(scale).unscaled;
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

/** All digits of a double. */
function exactText(value: number): string {
  let shift = 0;
  let scaled = Math.abs(value);
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    shift += 1;
  }
  // n / 2^k is n * 5^k / 10^k.
  return `${value < 0 ? '-' : ''}${BigInt(scaled) * 5n ** BigInt(shift)}e-${shift}`;
}
