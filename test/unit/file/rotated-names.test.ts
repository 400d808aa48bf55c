import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyOf, isRotatedName } from '#troupe/connectors/file/source/rotated-names.js';

const ROTATED = [
  'app.log.1',
  'app.log.12',
  'app.log-20240131',
  'app.log.2024-01-31',
  'app.log-20240131-1530',
  'app.log.old',
  'app.1.log',
  'app-2024-01-31.log',
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
  for (const name of ROTATED) assert.ok(isRotatedName(name, '/var/log/app.log'), name);
  for (const name of OTHERS) assert.ok(!isRotatedName(name, '/var/log/app.log'), name);
});

test('all names of one rotation have one family', () => {
  for (const name of ['app.log', ...ROTATED])
    assert.equal(familyOf(`/var/log/${name}`), '/var/log/app.log', name);
  assert.notEqual(familyOf('/var/log/app-error.log'), familyOf('/var/log/app.log'));
});
