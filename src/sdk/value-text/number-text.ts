/** Numbers as Java writes them: readers of Kafka Connect's headers and texts compare them. */
import type { Decimal } from '../decimal.js';

/** As Java's `Double.toString` (of Java 19 and later: the fewest digits that tell the number). */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  // Here both write the same, and what follows takes ten times as long.
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const fewest = value.toExponential();
  // Of one digit, Java takes the nearest number of two.
  const two = value.toExponential(1);
  return floatingText(value, /^-?\de/.test(fewest) && Number(two) === value ? two : fewest);
}

/** As Java's `Float.toString`. `value` is taken as the float next to it. */
export function floatText(value: number): string {
  const float = Math.fround(value);
  // Nine digits tell every float.
  for (let digits = 1; digits < 8; digits += 1) {
    const text = float.toExponential(digits);
    if (Math.fround(Number(text)) === float) return floatingText(float, text);
  }
  return floatingText(float, float.toExponential(8));
}

function floatingText(value: number, exponential: string): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const sign = value < 0 ? '-' : '';
  const [mantissa = '', exponent = '0'] = exponential.slice(sign.length).split('e');
  const power = Number(exponent);
  const digits = mantissa.replace('.', '').replace(/0+$/, '') || '0';
  if (power < -3 || power >= 7) return `${sign}${digits.charAt(0)}.${digits.slice(1) || '0'}E${power}`;
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`;
  return `${sign}${digits.slice(0, power + 1).padEnd(power + 1, '0')}.${digits.slice(power + 1) || '0'}`;
}

/** As Java's `BigDecimal.toString`: `1E+3` where there is no other way to keep the scale. */
export function decimalText(decimal: Decimal): string {
  const { unscaled, scale } = decimal;
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  const power = digits.length - 1 - scale;
  if (scale >= 0 && power >= -6) return decimal.toString();
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  const exponent = power === 0 ? '' : `E${power > 0 ? '+' : ''}${power}`;
  return `${unscaled < 0n ? '-' : ''}${digits.charAt(0)}${fraction}${exponent}`;
}
