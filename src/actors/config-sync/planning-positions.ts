/** The positions that a connector reads while it plans: asked for by its thread, answered by this actor, a page at a time. */
import { once } from 'node:events';
import { MessageChannel, MessagePort, parentPort } from 'node:worker_threads';
import { isObject } from '../../core/replica/json-shape.js';
import type { SourcePosition } from '../../core/model.js';
import { isJsonObject } from '../../plugins/plugin-returns.js';
import { checkPosition } from '../../plugins/plugin-words.js';
import { ConnectError } from '../../sdk/errors.js';
import type { Ref } from '../kernel/protocol.js';
import { toWireError } from '../kernel/wire-error.js';
import type { PersistenceProtocol } from '../persistence/protocol.js';

const TYPE = 'planning positions';
const ASK_MS = 30_000;

export interface PositionsRequest {
  readonly type: typeof TYPE;
  readonly connector: string;
  readonly match: SourcePosition['partition'] | null;
  /** Of the thread: gets pages, and says when it wants the next. */
  readonly port: MessagePort;
}

type Page =
  | { readonly ok: true; readonly positions: readonly SourcePosition[]; readonly last: boolean }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** In the thread. ConnectError PLUGIN_CONTRACT, and those of the log. */
export async function readPositions(connector: string, match: unknown): Promise<readonly SourcePosition[]> {
  if (match !== undefined) checkPosition('positions', { match });
  const { port1, port2 } = new MessageChannel();
  const request = { type: TYPE, connector, match: match ?? null, port: port2 };
  const positions: SourcePosition[] = [];
  try {
    parentPort?.postMessage(request, [port2]);
    for (;;) {
      // What this actor's other thread posts, below.
      const [page] = (await once(port1, 'message')) as [Page];
      if (!page.ok) throw new ConnectError(page.message, { code: page.code });
      for (const item of page.positions) positions.push(item);
      if (page.last) return positions;
      port1.postMessage('next');
    }
  } finally {
    port1.close();
  }
}

/** null: it is no such request. Plugin code shares the port, so it is judged by its shape. */
export function parseRequest(message: unknown): PositionsRequest | null {
  if (!isObject(message) || message['type'] !== TYPE) return null;
  const { connector, match, port } = message;
  if (typeof connector !== 'string' || !(port instanceof MessagePort)) return null;
  if (match !== null && !isJsonObject(match)) return null;
  return { type: TYPE, connector, match, port };
}

/** Answers until the last page, or until the thread is gone. */
export function servePositions(
  { connector, match, port }: PositionsRequest,
  persistence: Pick<Ref<PersistenceProtocol>, 'ask'>,
): void {
  let cursor: number | null = null;
  const send = async (): Promise<void> => {
    let page: Page;
    try {
      const reply: PersistenceProtocol['ask']['positions']['reply'] = await persistence.ask(
        'positions',
        { connector, match, cursor },
        { deadlineMs: ASK_MS },
      );
      ({ cursor } = reply);
      page = { ok: true, positions: reply.positions, last: cursor === null };
    } catch (error) {
      const { code, message } = toWireError(error);
      page = { ok: false, code: code ?? 'POSITIONS_UNKNOWN', message };
    }
    port.postMessage(page);
    if (!page.ok || page.last) port.close();
  };
  port.on('message', () => void send());
  port.unref();
  void send();
}
