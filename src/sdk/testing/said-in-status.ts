import type { TaskContext, TaskProgress } from '../plugin.js';

/** What a task has told of itself for its status. */
export class SaidInStatus {
  readonly notes = new Map<string, string>();
  progress: TaskProgress | null = null;

  readonly context: Pick<TaskContext, 'note' | 'progress'> = {
    note: (code, message) => {
      if (message === null) this.notes.delete(code);
      else this.notes.set(code, message);
    },
    progress: (done) => {
      this.progress = done;
    },
  };
}
