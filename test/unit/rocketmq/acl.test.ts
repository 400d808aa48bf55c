import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sign } from '#troupe/log/rocketmq/remoting/acl.js';

const acl = { accessKey: 'access-1', secretKey: 'secret-ä' };

test('a request is signed as the Java library signs it', () => {
  const fields = { b: 'orders', a: 'troupe', queueId: '7', Z: 'ümläut', i: '' };
  const signed = sign({ code: 320, fields, body: Buffer.from('body €') }, acl);
  assert.deepEqual(signed.fields, {
    ...fields,
    AccessKey: 'access-1',
    Signature: 'y7SfgYe6lZrymAtpaCjSIhSnFXc=',
  });
});

test('a request without a body', () => {
  const signed = sign({ code: 105, fields: { topic: 'orders' } }, acl);
  assert.equal(signed.fields['Signature'], 'f20C/WRvXhFyaZg3cTunrC0G5Vk=');
});
