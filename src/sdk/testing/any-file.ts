import type { FileAccess } from '../plugin.js';
import { realPath } from '../real-path.js';

/** What the harnesses tell plugins unless the test says otherwise: every file may be opened. */
export const ANY_FILE: FileAccess = { check: async () => undefined, realPath: (path) => realPath(path) };
