import { DataError } from './errors.js';
import { sharedBetweenCopies } from './shared-class.js';

const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** Digits of a number that is padded to a scale: an exponent such as 1e999999 must not fill the memory. */
const MAX_SCALE = 10_000;

/** A decimal number without rounding: `unscaled` × 10^-`scale`. The value of the logical type Decimal. */
export class Decimal {
  static {
    sharedBetweenCopies(this, 'Decimal');
  }
  readonly unscaled: bigint;
  readonly scale: number;

  constructor(unscaled: bigint, scale: number) {
    checkScale(scale);
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /** `12.50` has scale 2, `1e3` scale -3. Throws DataError BAD_DECIMAL. */
  static parse(text: string): Decimal {
    const parts = FORM.exec(text.trim());
    const whole = parts?.[2] ?? '';
    const fraction = parts?.[3] ?? '';
    if (parts === null || whole + fraction === '') {
      throw badDecimal(`${JSON.stringify(text.slice(0, 40))} is not a decimal number`);
    }
    const digits = BigInt(whole + fraction);
    return new Decimal(parts[1] === '-' ? -digits : digits, fraction.length - Number(parts[4] ?? 0));
  }

  /** From the big-endian two's complement form of `unscaled`. */
  static fromBytes(bytes: Uint8Array, scale: number): Decimal {
    if (bytes.length === 0) throw badDecimal('a Decimal must have at least one byte');
    const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
    return new Decimal(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`)), scale);
  }

  /** `unscaled` as big-endian two's complement, as short as possible. */
  toBytes(): Uint8Array {
    const magnitude = this.unscaled < 0n ? -this.unscaled - 1n : this.unscaled;
    const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
    const size = Math.floor(bits / 8) + 1;
    const hex = BigInt.asUintN(size * 8, this.unscaled).toString(16);
    return new Uint8Array(Buffer.from(hex.padStart(size * 2, '0'), 'hex'));
  }

  /** The same number with another scale. Throws DataError BAD_DECIMAL where digits would be lost. */
  withScale(scale: number): Decimal {
    if (scale === this.scale) return this;
    checkScale(scale);
    if (scale > this.scale) return new Decimal(this.unscaled * power(scale - this.scale), scale);
    const divisor = power(this.scale - scale);
    if (this.unscaled % divisor !== 0n) {
      throw badDecimal(`${this.toString()} has more than ${scale} digits after the point`);
    }
    return new Decimal(this.unscaled / divisor, scale);
  }

  toString(): string {
    if (this.scale <= 0) return (this.unscaled * power(-this.scale)).toString();
    const negative = this.unscaled < 0n;
    const digits = (negative ? -this.unscaled : this.unscaled).toString().padStart(this.scale + 1, '0');
    const point = digits.length - this.scale;
    return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function checkScale(scale: number): void {
  if (!Number.isInteger(scale) || Math.abs(scale) > MAX_SCALE) {
    throw badDecimal(`a scale must be a whole number from -${MAX_SCALE} to ${MAX_SCALE}, not ${scale}`);
  }
}

function badDecimal(message: string): DataError {
  return new DataError(message, { code: 'BAD_DECIMAL' });
}
