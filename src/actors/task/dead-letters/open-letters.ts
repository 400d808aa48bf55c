/** The dead letters of a task, as its connector is configured. */
import { parseUnitKey } from '../../../core/model.js';
import { NO_MARK } from '../../../log/log.js';
import type { RecordMarker } from '../../../core/progress/record-marks.js';
import type { Stage } from '../../../plugins/failed-stage.js';
import type { LoadedSink, LoadedSource } from '../load-task.js';
import type { TaskParts } from '../parts.js';
import type { SourceTransactions } from '../source/source-transactions.js';
import { deadLetterTopic } from './dead-letter-topic.js';
import type { LetterContext } from './letter.js';
import { SinkLetters, type SinkLettersOptions } from './sink-letters.js';
import { SourceLetters } from './source-letters.js';

const OFF = 'DEAD_LETTERS_OFF';

/** Null: it has none. */
export async function openSinkLetters(
  parts: TaskParts,
  loaded: LoadedSink,
  { append, onMany }: Pick<SinkLettersOptions, 'append' | 'onMany'>,
): Promise<SinkLetters | null> {
  if (loaded.deadLetters === null) return null;
  noteWhereOff(parts, loaded);
  return new SinkLetters({
    log: parts.log,
    topic: await deadLetterTopic(parts, loaded.deadLetters.settings),
    context: contextOf(parts, loaded, 'TASK_PUT'),
    append,
    onMany,
    onLetter: () => {
      parts.report.note(OFF, null);
    },
  });
}

/** Null: it has none. */
export async function openSourceLetters(
  parts: TaskParts,
  loaded: LoadedSource,
  into: {
    readonly transactions: () => Pick<SourceTransactions, 'add'>;
    readonly marker: RecordMarker | null;
  },
): Promise<SourceLetters | null> {
  if (loaded.deadLetters === null) return null;
  noteWhereOff(parts, loaded);
  return new SourceLetters({
    topic: await deadLetterTopic(parts, loaded.deadLetters.settings),
    context: contextOf(parts, loaded, 'TASK_POLL'),
    converters: loaded.deadLetters.converters,
    recordTopic: loaded.topic,
    write: ({ topic, queue }, { key, value, timestamp, headers }, { partition, position }, transaction) => {
      const mark = into.marker?.mark(partition, position) ?? NO_MARK;
      into.transactions().add(topic, queue, key, value, timestamp, headers, mark, transaction);
    },
    now: Date.now,
    onLetter: () => {
      parts.report.note(OFF, null);
    },
  });
}

/** Without tolerance a bad record fails its task, and stays where it is. */
function noteWhereOff({ report }: TaskParts, { tolerance }: LoadedSink | LoadedSource): void {
  if (tolerance.tolerance === 'all') return;
  report.note(
    OFF,
    'nothing goes to the dead-letter queue: with errors.tolerance=none a bad record fails the task and is not passed. Set errors.tolerance=all, or remove errors.deadletterqueue.topic.name',
  );
}

function contextOf(
  { context }: TaskParts,
  { deadLetters }: LoadedSink | LoadedSource,
  defaultStage: Stage,
): LetterContext {
  const { unit, config, settings } = context.params;
  const { connector, task } = parseUnitKey(unit);
  const classes: Readonly<Partial<Record<Stage, string | undefined>>> = {
    KEY_CONVERTER: config['key.converter'] ?? settings.keyConverter,
    VALUE_CONVERTER: config['value.converter'] ?? settings.valueConverter,
    HEADER_CONVERTER: config['header.converter'] ?? settings.headerConverter,
  };
  const ofTransform = (alias: string): string =>
    config[`transforms.${alias}.type`] ?? config[`transforms.${alias}.class`] ?? alias;
  return {
    connector,
    task: task ?? 0,
    withContext: deadLetters?.settings.contextHeaders === true,
    classOf: (stage, alias) =>
      alias === null ? (classes[stage] ?? config['connector.class'] ?? '') : ofTransform(alias),
    defaultStage,
  };
}
