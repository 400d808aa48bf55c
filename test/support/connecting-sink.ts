/** A sink that can connect only while there is its file. Loaded as a plugin by tests. */
import { existsSync } from 'node:fs';
import { sinkOf } from './plugin-of.js';
import { RecordingTask } from './recording-sink.js';

export default sinkOf(['journal', 'system'], () => new RecordingTask(), {
  connect: (_context, _config, raw) =>
    existsSync(raw['system'] ?? '')
      ? []
      : [{ field: 'system', value: raw['system'] ?? null, reason: 'is not there' }],
});
