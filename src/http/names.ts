/** Which names a connector may have. */
import { nameProblem } from '../core/connectors/connector-name.js';
import { HttpError } from './errors.js';

export function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem === null) return;
  throw new HttpError('CONNECTOR_NAME_INVALID', `The connector name ${problem}.`, {
    fields: [{ field: 'name', value: shortened(name), reason: problem }],
  });
}

/** Values echoed in errors stay readable. */
export function shortened(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
