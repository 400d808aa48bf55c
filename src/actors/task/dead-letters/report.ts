import type { SinkTaskContext } from '../../../sdk/plugin.js';
import type { RecordErrors } from '../record-errors.js';
import { placeOf } from '../../sink-record.js';
import type { SinkLetters } from './sink-letters.js';

/** What a sink reports is safe when it is answered: the sink may forget it. */
export function reportTo({
  errors,
  letters,
}: {
  readonly errors: Pick<RecordErrors, 'badRecord'>;
  readonly letters: Pick<SinkLetters, 'safe'> | null;
}): SinkTaskContext['report'] {
  return async (record, error) => {
    await errors.badRecord(error, placeOf(record), record);
    await letters?.safe();
  };
}
