import { ConfigEvents } from '../../core/connectors/config-events.js';
import { isLevelEntry } from '../../core/connectors/level-entries.js';
import { EventPages } from '../event-pages.js';
import type { ConfigReplica } from './cold-start.js';

/** What users do to connectors, from what the replica has read by now. */
export function followEvents(replica: ConfigReplica): EventPages {
  const events = new ConfigEvents();
  const pages = new EventPages(() => replica.appliedOffset);
  const begin = (): void => {
    events.begin(replica.state.inner.connectors.values());
  };
  begin();
  const beginAnew = (): void => {
    begin();
    pages.reset();
  };
  replica.onApplied((entry, result, meta) => {
    if (isLevelEntry(entry)) return;
    // A saved copy: there may be other connectors now.
    if (entry.type === 'RESTORE' || result === null) beginAnew();
    else pages.push(events.of(entry, result, meta));
  });
  replica.onReplaced(beginAnew);
  return pages;
}
