import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal } from '#troupe/sdk/index.js';

const decimals = fc.tuple(
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.integer({ min: -20, max: 40 }),
);

test('a decimal survives its bytes and its text', () => {
  fc.assert(
    fc.property(decimals, ([unscaled, scale]) => {
      const decimal = new Decimal(unscaled, scale);
      const bytes = decimal.toBytes();
      assert.deepEqual(Decimal.fromBytes(bytes, scale), decimal);
      assert.deepEqual(
        Decimal.parse(decimal.toString()).withScale(Math.max(scale, 0)),
        decimal.withScale(Math.max(scale, 0)),
      );
      // As short as two's complement can be: the first nine bits are not all the same.
      if (bytes.length > 1)
        assert.notEqual((bytes[0] === 0 ? 0 : bytes[0] === 0xff ? 1 : 2) === (bytes[1] ?? 0) >> 7, true);
    }),
  );
});
