import type { TaskContext, TaskProgress } from '../plugin.js';

/** What a task has told of itself for its status, and asked for. */
export class SaidInStatus {
  readonly notes = new Map<string, string>();
  progress: TaskProgress | null = null;

  /** How often it has asked for a new plan. */
  replans = 0;

  readonly context: Pick<TaskContext, 'note' | 'progress' | 'requestReplan'> = {
    note: (code, message) => {
      if (message === null) this.notes.delete(code);
      else this.notes.set(code, message);
    },
    progress: (done) => {
      this.progress = done;
    },
    requestReplan: () => {
      this.replans += 1;
    },
  };
}
