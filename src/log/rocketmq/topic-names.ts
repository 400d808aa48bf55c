/** Which names RocketMQ lets a topic have. They are refused, not mapped: other clients shall find the topic. */
import { LogError } from '../log.js';

const ALLOWED = /^[%|a-zA-Z0-9_-]{1,127}$/;

export function checkRocketMqTopic(name: string): void {
  if (ALLOWED.test(name)) return;
  throw new LogError(
    'LOG_BAD_REQUEST',
    `"${name.slice(0, 200)}" cannot name a topic in RocketMQ: 1 to 127 letters, digits, dashes, underscores, % or |. Choose another name (dots are not allowed there)`,
  );
}
