import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseProperties } from '#troupe/core/parameters/properties-file.js';

function values(text: string): Record<string, string> {
  const { entries, problems } = parseProperties(text);
  assert.deepEqual(problems, []);
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

test('keys end at the first separator, whichever of the three it is', () => {
  assert.deepEqual(values('a=1\nb:2\nc 3\n  d \t = \t 4=5\ne\nf==6\n'), {
    a: '1',
    b: '2',
    c: '3',
    d: '4=5',
    e: '',
    f: '=6',
  });
});

test('comments and blank lines are skipped, and a comment is never continued', () => {
  assert.deepEqual(values('# one \\\n! two\n\n   # three\na=1 # kept\n'), { a: '1 # kept' });
});

test('a line that ends in an odd number of backslashes goes on', () => {
  assert.deepEqual(values('list=a,\\\n     b,\\\r\n\tc\nend=x\\\\\nnext=1'), {
    list: 'a,b,c',
    end: 'x\\',
    next: '1',
  });
});

test('a continued line may be the last of the file', () => {
  assert.deepEqual(values('a=1\\'), { a: '1' });
});

test('escapes and unicode are decoded in keys and values', () => {
  assert.deepEqual(values('a\\=b\\ c=\\u00e9\\t\\\\x\\:y\nschl\u00fcssel=\u00df'), {
    'a=b c': '\u00e9\t\\x:y',
    schlüssel: 'ß',
  });
});

test('a byte order mark and Windows line ends are no part of a value', () => {
  assert.deepEqual(values('\uFEFFa=1\r\nb=2\r\n'), { a: '1', b: '2' });
});

test('problems name their lines, and the rest is read all the same', () => {
  const { entries, problems } = parseProperties('a=1\n\nb=\\u12x4\nc=\\\n  x\npath=C:\\data\na=2\n=3\nd=4\n');
  assert.deepEqual(
    problems.map(({ line }) => line),
    [3, 6, 7, 8],
  );
  assert.match(problems[0]?.message ?? '', /four hexadecimal digits/);
  assert.match(problems[1]?.message ?? '', /\\\\ for a backslash/);
  assert.match(problems[2]?.message ?? '', /a stands here and in line 1/);
  assert.match(problems[3]?.message ?? '', /without a key/);
  assert.equal(entries.find(({ key }) => key === 'a')?.value, '1');
  assert.equal(entries.find(({ key }) => key === 'd')?.line, 9);
});

test('whatever is written with escapes is read back', () => {
  const escape = (text: string): string =>
    Array.from({ length: text.length }, (_, i) => {
      const unit = text.charAt(i);
      return /[\w.]/.test(unit) ? unit : `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
    }).join('');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string({ unit: 'binary' }))), (pairs) => {
      const expected = new Map(pairs);
      const text = [...expected].map(([key, value]) => `${escape(key)} = ${escape(value)}\n`).join('');
      assert.deepEqual(
        new Map(Object.entries(Object.fromEntries(expected))),
        new Map(Object.entries(values(text))),
      );
    }),
  );
});

test('no text at all makes the parser fail or run for ever', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('\\', '=', ':', ' ', '\n', '\r', '#', '!', 'u', 'a', '0') }),
      (text) => {
        const { entries, problems } = parseProperties(text);
        assert.ok(entries.length + problems.length <= text.length + 1);
      },
    ),
  );
});
