import { ConfigError, type ConnectorContext, type PositionChange } from '../../../sdk/index.js';
import { parsePosition } from './origin.js';

/**
 * What a user may set: `{"file": path}`, and for files that Kafka's FileStreamSource has read `{"filename": path}`, which
 * counts only as long as there is none of ours.
 */
export async function checkPositions(
  context: Pick<ConnectorContext, 'positions'>,
  changes: readonly PositionChange[],
): Promise<void> {
  for (const { partition, position } of changes) {
    const { file, filename } = partition;
    const path = file ?? filename;
    if (typeof path !== 'string' || path === '' || Object.keys(partition).length !== 1)
      throw refused("Partition objects should contain the key 'file', and no other");
    if (position === null) continue;
    const at = position['position'];
    if (typeof at !== 'number' || !Number.isSafeInteger(at))
      throw refused("The value for the 'position' key in the offset is expected to be a whole number");
    if (at < 0)
      throw refused("The value for the 'position' key in the offset should be a non-negative value");
    if (parsePosition(position) === null)
      throw refused("The 'file' in the offset is none that this source has written: leave it out");
    if (file === undefined && (await context.positions({ file: path })).length > 0)
      throw refused(
        `The position of ${path} stands under {"file": …}, which comes first: set or remove that`,
      );
  }
}

function refused(message: string): ConfigError {
  return new ConfigError(message, { code: 'BAD_POSITION' });
}
