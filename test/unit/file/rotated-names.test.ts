import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  familyOf,
  isRotatedName,
  schemeOf,
  sharesStem,
} from '#troupe/connectors/file/source/rotated-names.js';

const ROTATED = [
  'app.log.1',
  'app.log.12',
  'app.log-20240131',
  'app.log.2024-01-31',
  'app.log-20240131-1530',
  'app.log-20240131-1706715000',
  'app.log.2024-01-31.0',
  'app.log.2024-01-31_10-00',
  'app.log.old',
  'app.1.log',
  'app.000001.log',
  'app-2024-01-31.log',
  'app-2024-01-31.0.log',
  'app-2024-01-31T10-00-00.123.log',
  'app__2024-01-31_10-00-00.log',
];
const OTHERS = [
  'app.log',
  'app.log.gz',
  'app.log.1.gz',
  'app.log.bak',
  'app2.log',
  'other.log.1',
  'app.log.x1',
  'app-error.log',
];

test('names that rotation gives are recognised, and no others', () => {
  for (const name of ROTATED) assert.ok(isRotatedName(name, 'app.log'), name);
  for (const name of OTHERS) assert.ok(!isRotatedName(name, 'app.log'), name);
});

test('all names of one rotation have one family', () => {
  for (const name of ['app.log', 'app0.log', 'app-11-29-2026-1.log', ...ROTATED])
    assert.equal(familyOf(`/var/log/${name}`), '/var/log/app.log', name);
  assert.notEqual(familyOf('/var/log/app-error.log'), familyOf('/var/log/app.log'));
});

for (const [base, sample, alike, unlike] of [
  [
    'app.log',
    'app.log.1',
    ['app.log.2', 'app.log.10'],
    ['app.log', 'app-errors.log', 'app-2.log.1', 'app.log.1.gz'],
  ],
  ['app.log', 'app-11-29-2026-1.log', ['app-12-01-2026-2.log'], ['app-2.log', 'app-errors.log', 'app.log']],
  [
    'app.log',
    'app-2026-11-29.log',
    ['app-2026-11-30.log', 'app-2026-11-29.1.log'],
    ['app-2.log', 'app-2.log.1'],
  ],
  [
    'app.log',
    'app.log.2026-11-29.1',
    ['app.log.2026-11-29', 'app.log.2026-12-01'],
    ['app.log.1', 'app-2026.log'],
  ],
  ['app.log', 'app-29Nov2026.log', ['app-1Dec2026.log'], ['app-errors.log', 'app-29-Nov.log']],
  ['app0.log', 'app2.log', ['app1.log', 'app10.log'], ['app0.log', 'apple1.log', 'app1.log.1']],
  ['app0.log', 'app0.log.1', ['app0.log.2'], ['app1.log', 'app1.log.1', 'app2.log.2']],
  ['app1.log', 'app12.log', ['app3.log'], ['app1.log', 'app1.log.2']],
  ['0.log', '0.log.20261129-101010', ['0.log.20261130-000000'], ['1.log', '1.log.20261129-101010']],
  ['app.log', 'app-old.log', [], ['app-errors.log', 'app-1.log']],
  ['current', '@4000000065b9d1a01c2d3e4f.s', ['@4000000065b9d1a11c2d3e4f.u'], ['lock', 'state']],
] as const) {
  test(`${base} that became ${sample} shows the scheme`, () => {
    assert.ok(sharesStem(sample, base));
    const belongs = schemeOf(sample, base);
    for (const name of [sample, ...alike]) assert.ok(belongs(name), name);
    for (const name of unlike) assert.ok(!belongs(name), name);
  });
}

test('a name with another stem is not taken for that of a followed file', () => {
  for (const name of ['myapp.log.1', 'apple-1.log', 'other.1.log'])
    assert.ok(!sharesStem(name, 'app.log'), name);
});
