import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configInfos } from '#troupe/plugins/config-infos.js';
import { withoutSecrets } from '#troupe/plugins/shown-infos.js';

test('a short secret garbles no message, a longer one is taken out of it', () => {
  const reason = 'must be a port, and abcd is none';
  const infos = configInfos({
    name: 'x',
    definition: [],
    raw: {},
    issues: [{ field: 'port', value: 'abcd', reason }],
    warnings: [],
    dryRun: null,
  });
  const secrets = new Map([
    ['b', '${env:SHORT}'],
    ['abcd', '${env:LONG}'],
  ]);
  const shown = withoutSecrets(infos, {}, secrets, ['a']);
  assert.deepEqual(shown.issues, [
    { field: 'port', value: '${env:LONG}', reason: 'must be a port, and ${env:LONG} is none' },
  ]);
  assert.deepEqual(
    shown.configs.flatMap(({ value }) => value.errors),
    ['Invalid value ${env:LONG} for configuration port: must be a port, and ${env:LONG} is none'],
  );
});
