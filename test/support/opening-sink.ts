/** The recording sink, which wants to be told of its queues. Loaded as a plugin by the cluster tests. */
import type { QueueRef } from '#troupe/sdk/index.js';
import { sinkOf } from './plugin-of.js';
import { RecordingTask } from './recording-sink.js';

class OpeningTask extends RecordingTask {
  open(queues: readonly QueueRef[]): void {
    this.noteQueues('open', queues);
  }

  close(queues: readonly QueueRef[]): void {
    this.noteQueues('close', queues);
  }
}

export default sinkOf(['journal'], () => new OpeningTask());
