import { javaPattern, javaPatternProblem, withTopic } from '../sdk/index.js';
import type { JavaPattern, Plugin, Transform } from '../sdk/index.js';
import { parseReplacement, type Replacement } from './java-replacement.js';
import { nonEmptyText } from './part.js';

/** Renames topics by a regular expression that matches the whole name. */
const transform: Transform = {
  version: '1.0.0',
  config: [
    {
      name: 'regex',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        "Regular expression, in Java's syntax. Topics that it does not match wholly keep their name.",
      validator: javaPatternProblem,
    },
    {
      name: 'replacement',
      type: 'STRING',
      importance: 'HIGH',
      documentation:
        'The new name. $1 or ${name} stand for what a group matched; a backslash takes the meaning of $ away. As in Java, it replaces the first match that is found in the name, which is the whole name for most expressions.',
      validator: nonEmptyText,
    },
  ],
  create: (config) => {
    const pattern = javaPattern(config.string('regex'));
    const replacement = parseReplacement(config.string('replacement'), pattern, 'replacement');
    let lastTopic: string | null = null;
    let lastResult: string | null = null;
    return {
      apply: (record) => {
        const { topic } = record;
        if (topic === null) return record;
        if (topic !== lastTopic || lastResult === null) {
          lastResult = renamed(topic, pattern, replacement);
          lastTopic = topic;
        }
        return lastResult === topic ? record : withTopic(record, lastResult);
      },
    };
  },
};

/** What matches as a whole may still have a shorter match that is found first: `a|ab` in "ab". */
function renamed(topic: string, { whole, first }: JavaPattern, replacement: Replacement): string {
  const found = whole.test(topic) ? first.exec(topic) : null;
  if (found === null) return topic;
  return topic.slice(0, found.index) + replacement(found) + topic.slice(found.index + found[0].length);
}

export default { type: 'transformation', plugin: transform } satisfies Plugin;
