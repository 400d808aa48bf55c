import { ConnectError } from '../../sdk/errors.js';

export const TOO_MANY_PARTITIONS = 'TOO_MANY_PARTITIONS';

export function tooManyPartitions(connector: string, partitions: number, max: number): ConnectError {
  return new ConnectError(
    `connector ${connector} has positions of ${partitions} source partitions, and may have ${max} (source.partitions.max): ` +
      'its source should retire those that are gone (context.retire), or use fewer; else delete the connector and make it anew under another name, or raise the parameter',
    { code: TOO_MANY_PARTITIONS },
  );
}
