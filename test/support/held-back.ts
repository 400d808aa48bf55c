import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from './node-process.js';
import { until } from './wait.js';

const MIB = 1 << 20;

/** Whether the source `in` waits for room in the log. */
export async function isHeldBack(node: NodeProcess): Promise<boolean> {
  const { body } = await node.request('GET', '/connectors/in/status');
  const status = JSON.stringify(body);
  assert.doesNotMatch(status, /FAILED/);
  return status.includes('"call":"append"');
}

/** A node whose sink `out` is paused, so that its source `in` goes on until the log takes no more. */
export class HeldBackFlow {
  readonly node: NodeProcess;
  readonly source: Readonly<Record<string, string>>;
  readonly #text: string;
  readonly #output: string;

  private constructor(node: NodeProcess, text: string) {
    this.node = node;
    this.source = {
      'connector.class': 'FileSourceConnector',
      file: join(node.dir, 'in.txt'),
      topic: 'lines',
    };
    this.#text = text;
    this.#output = join(node.dir, 'out.txt');
  }

  /** Resolves when the source is held back. `text`: more than the log takes. */
  static async start(
    t: TestContext,
    text: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<HeldBackFlow> {
    const dir = temporaryFolder();
    const node = await NodeProcess.create(dir, {
      'topic.retention.bytes': String(MIB),
      'store.retention.check.ms': '200',
      ...settings,
    });
    t.after(async () => {
      await node.kill();
      removeFolder(dir);
    });
    const flow = new HeldBackFlow(node, text);
    writeFileSync(join(dir, 'in.txt'), text);
    await node.start();
    // It reads nothing, but from its start on retention by size waits for it.
    const sink = {
      'connector.class': 'FileSinkConnector',
      topics: 'lines',
      file: flow.#output,
      'base.dir': dir,
    };
    await flow.ask('POST', '/connectors', 201, { name: 'out', config: sink, initial_state: 'PAUSED' });
    await node.state('out', 'PAUSED');
    await node.run('in', flow.source);
    await flow.heldBack();
    return flow;
  }

  async ask(method: string, path: string, status: number, body?: object): Promise<void> {
    const answer = await this.node.request(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  }

  heldBack(): Promise<unknown> {
    return until('the source is held back', () => isHeldBack(this.node));
  }

  async everythingArrived(): Promise<void> {
    const found = (): Buffer | null => contentOf(this.#output);
    await until('everything arrived', () => (found()?.length ?? 0) >= this.#text.length, 60_000);
    assert.ok(found()?.equals(Buffer.from(this.#text)), 'the output is the input, byte for byte');
  }
}
