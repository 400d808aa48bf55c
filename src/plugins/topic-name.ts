const TOPIC_NAME = /^[A-Za-z0-9._%|-]{1,249}$/;
const TOPIC_RULE = 'a name of 1 to 249 letters, digits, dots, dashes, underscores, % or |';

/** Why a topic cannot have the name, or null. */
export function topicNameProblem(name: string): string | null {
  return TOPIC_NAME.test(name) ? null : `"${name.slice(0, 100)}" cannot name a topic: ${TOPIC_RULE}`;
}
