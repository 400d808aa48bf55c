/** A process that tries to take a lock each time it is told to, and says whether it has it. */
import { lockInstance } from '#troupe/supervisor/instance-lock.js';

const [workerId = '', ownFolder = ''] = process.argv.slice(2);

process.on('message', () => {
  process.send?.(taken());
});
process.send?.(false);

function taken(): boolean {
  try {
    lockInstance({ workerId, ownFolder, sharedFolder: null });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'NODE_ALREADY_RUNNING') return false;
    throw error;
  }
}
