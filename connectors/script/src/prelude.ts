/**
 * What runs in the sandbox before a script: values from text and back (wire.ts has the other half), and the class of decimals.
 * Gives a function that makes, of the script's, one from text to text. What a script changes of it, it changes for itself.
 */
export const PRELUDE = String.raw`(() => {
  'use strict';
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { entries, hasOwn, getPrototypeOf, defineProperty } = Object;
  const plain = Object.prototype;

  class Decimal {
    constructor(unscaled, scale) {
      this.unscaled = BigInt(unscaled);
      this.scale = Number(scale);
      if (!Number.isInteger(this.scale)) throw new TypeError('a scale is a whole number');
    }
    static parse(text) {
      const [, sign, whole, fraction = ''] = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(String(text).trim()) ?? [];
      if (whole === undefined) throw new TypeError('no decimal number: ' + text);
      const digits = BigInt(whole + fraction);
      return new Decimal(sign === '-' ? -digits : digits, fraction.length);
    }
    toString() {
      if (this.scale <= 0) return String(this.unscaled * 10n ** BigInt(-this.scale));
      const negative = this.unscaled < 0n;
      const digits = String(negative ? -this.unscaled : this.unscaled).padStart(this.scale + 1, '0');
      const point = digits.length - this.scale;
      return (negative ? '-' : '') + digits.slice(0, point) + '.' + digits.slice(point);
    }
    valueOf() {
      return Number(this.toString());
    }
  }

  const set = (fields, key, value) => {
    if (key === '__proto__') defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true });
    else fields[key] = value;
  };

  const decode = (json) => {
    if (typeof json !== 'object' || json === null) return json;
    if (isArray(json)) return json.map(decode);
    if (hasOwn(json, '$')) {
      const v = json.v;
      switch (json.$) {
        case 'f': return Number(v);
        case 'i': return BigInt(v);
        case 'd': return new Date(v);
        case 'n': return new Decimal(v[0], v[1]);
        case 'm': return new Map(v.map(([key, item]) => [decode(key), decode(item)]));
        case 'x': {
          const bytes = new Uint8Array(v.length / 2);
          for (let i = 0; i < bytes.length; i += 1) bytes[i] = parseInt(v.slice(2 * i, 2 * i + 2), 16);
          return bytes;
        }
        default: {
          const fields = {};
          for (const [key, item] of v) set(fields, key, decode(item));
          return fields;
        }
      }
    }
    for (const key in json) json[key] = decode(json[key]);
    return json;
  };

  const encode = (value, depth) => {
    if (depth > 500) throw new TypeError('what it gives is nested deeper than 500');
    switch (typeof value) {
      case 'undefined': return null;
      case 'string': case 'boolean': return value;
      case 'number': return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'f', v: Object.is(value, -0) ? '-0' : String(value) };
      case 'bigint': return { $: 'i', v: String(value) };
      case 'object': break;
      default: throw new TypeError('a ' + typeof value + ' is no value');
    }
    if (value === null) return null;
    const inner = (item) => encode(item, depth + 1);
    if (isArray(value)) return value.map(inner);
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date is no value');
      return { $: 'd', v: value.getTime() };
    }
    if (value instanceof Decimal) return { $: 'n', v: [String(value.unscaled), value.scale] };
    if (value instanceof Uint8Array) {
      let v = '';
      for (const byte of value) v += (byte < 16 ? '0' : '') + byte.toString(16);
      return { $: 'x', v };
    }
    if (value instanceof Map) return { $: 'm', v: [...value].map(([key, item]) => [inner(key), inner(item)]) };
    const prototype = getPrototypeOf(value);
    if (prototype !== plain && prototype !== null) throw new TypeError('an object of the class ' + (value.constructor?.name ?? '?') + ' is no value');
    const own = entries(value);
    if (own.some(([key]) => key === '$' || key === '__proto__')) return { $: 'o', v: own.map(([key, item]) => [key, inner(item)]) };
    const fields = {};
    for (const [key, item] of own) if (item !== undefined) fields[key] = inner(item);
    return fields;
  };

  globalThis.Decimal = Decimal;
  return (script) => {
    if (typeof script !== 'function') throw new TypeError('it is no function: write (record) => { …; return record; }');
    return (text) => {
      const given = decode(parse(text));
      const places = new Map();
      given.headers = given.headers.map(([key, value], i) => {
        const header = { key, value };
        places.set(header, i);
        return header;
      });
      const out = script(given);
      if (out === null) return 'null';
      if (out === undefined) throw new TypeError('it gives nothing: return the record, or null to drop it');
      if (typeof out !== 'object' || typeof out.then === 'function') throw new TypeError('it must give a record, at once, or null to drop it');
      const pick = (name) => (out[name] === undefined ? given[name] : out[name]);
      const headers = pick('headers');
      if (!isArray(headers)) throw new TypeError('headers must be an array of { key, value }');
      return stringify({
        topic: pick('topic'),
        timestamp: pick('timestamp'),
        key: encode(pick('key'), 0),
        value: encode(pick('value'), 0),
        headers: headers.map((header) => [header.key, encode(header.value, 0), places.get(header) ?? null]),
      });
    };
  };
})()`;
