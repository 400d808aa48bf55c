import { checkPosition } from '../plugins/plugin-words.js';
import { partitionMatches } from '../sdk/partitions.js';
import type { SourceTaskContext } from '../sdk/plugin.js';
import type { JsonObject } from '../sdk/record.js';
import type { SourcePosition } from '../core/model.js';

/** What a source's task is told of the positions that were durable when it started. */
export function startPositions(
  positions: readonly SourcePosition[],
): Pick<SourceTaskContext, 'position' | 'positions'> {
  const known = new Map(positions.map((item) => [canonical(item.partition), item.position]));
  return {
    position: (partition) => known.get(canonical(partition)) ?? null,
    positions: (match) => {
      if (match === undefined) return positions;
      checkPosition('positions', { match });
      return positions.filter(({ partition }) => partitionMatches(partition, match));
    },
  };
}

/** Equal partitions have equal text, whatever the order of their keys. */
function canonical(partition: JsonObject): string {
  return JSON.stringify(Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
