/** The thread of a task, for scripts/bundle-threads.mjs: many run on a node, and one file costs half of what its modules do. */
import { runThread, type CodeInUse } from '../kernel/actor-host.js';
import { loadRocketMq } from '../log/open.js';
import behavior from './behavior.js';

export function run(inUse: CodeInUse): void {
  runThread({
    behavior,
    loads: {
      source: () => import('./source/source-task.js'),
      sink: () => import('./sink/sink-task.js'),
      rocketmq: loadRocketMq,
    },
    inUse,
  });
}
