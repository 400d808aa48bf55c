/** The thread of a task, for scripts/bundle-threads.mjs: many run on a node, and one file costs half of what its modules do. */
import { runThread } from '../kernel/actor-host.js';
import { loadRocketMq } from '../log/open.js';
import behavior from './behavior.js';

runThread({
  behavior,
  loads: {
    source: () => import('./source/source-task.js'),
    sink: () => import('./sink/sink-task.js'),
    rocketmq: loadRocketMq,
  },
});
