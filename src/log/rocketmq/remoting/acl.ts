/** Signs requests as RocketMQ's ACL wants it: HmacSHA1 over the values of all fields, sorted by name, and the body. */
import { createHmac } from 'node:crypto';
import type { Question } from './frame.js';
import type { Acl } from './types.js';

export function sign(question: Question, acl: Acl): Question {
  const fields: Record<string, string> = { ...question.fields, AccessKey: acl.accessKey };
  const hmac = createHmac('sha1', acl.secretKey);
  for (const name of Object.keys(fields).sort()) hmac.update(fields[name] ?? '');
  if (question.body !== undefined) hmac.update(question.body);
  return { ...question, fields: { ...fields, Signature: hmac.digest('base64') } };
}
