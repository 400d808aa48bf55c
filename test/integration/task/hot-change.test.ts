import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface TaskStatus {
  readonly state: string;
  readonly config?: { running: number; refused: number | null; reason: string | null };
}

/** A file source and a file sink over one topic. */
class Copy {
  readonly node: NodeProcess;
  readonly dir: string;
  readonly input: string;
  readonly output: string;

  private constructor(dir: string, node: NodeProcess) {
    this.dir = dir;
    this.node = node;
    this.input = join(dir, 'in.txt');
    this.output = join(dir, 'out.txt');
  }

  static async start(t: TestContext): Promise<Copy> {
    const dir = temporaryFolder();
    const node = await NodeProcess.create(dir, {
      pluginPaths: pluginPackage(dir, {
        class: 'Picky',
        type: 'transformation',
        module: './picky-transform.js',
      }),
    });
    t.after(async () => {
      await node.kill();
      removeFolder(dir);
    });
    await node.start();
    const copy = new Copy(dir, node);
    writeFileSync(copy.input, '');
    await node.run('in', copy.source());
    await node.run('out', copy.sink());
    return copy;
  }

  source(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { 'connector.class': 'FileSourceConnector', file: this.input, topic: 'lines', ...more };
  }

  sink(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { 'connector.class': 'FileSinkConnector', file: this.output, topics: 'lines', ...more };
  }

  /** What Picky needs. */
  get needed(): string {
    return join(this.dir, 'needed.txt');
  }

  async change(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const { status, body } = await this.node.request('PUT', `/connectors/${name}/config`, config);
    assert.equal(status, 200, JSON.stringify(body));
  }

  /** Until the task's thread says so. */
  async takenOver(name: string, times: number): Promise<void> {
    await until(`${name} has taken it over`, () => this.said(name, 'is taken over') >= times);
  }

  said(name: string, what: string): number {
    return this.node.output
      .split('\n')
      .filter((line) => line.includes(what) && line.includes(`"actor":"${name}/0"`)).length;
  }

  async task(name: string): Promise<TaskStatus> {
    const { body } = await this.node.request('GET', `/connectors/${name}/tasks/0/status`);
    return body as TaskStatus;
  }

  async writes(lines: string, out: string): Promise<void> {
    appendFileSync(this.input, lines);
    await until(`the sink has ${out}`, () => contentOf(this.output)?.toString().endsWith(out) === true);
  }

  /** How often the threads of the tasks were started. */
  async incarnations(): Promise<Record<string, number>> {
    const { body } = await this.node.request('GET', '/supervisor/tree');
    const found: Record<string, number> = {};
    const walk = (tree: { id: string; incarnation?: number; children?: [] }): void => {
      if (/^(in|out)\/0$/.test(tree.id)) found[tree.id] = tree.incarnation ?? 0;
      tree.children?.forEach(walk);
    };
    walk(body as { id: string });
    return found;
  }
}

const hoist = (field: string): Record<string, string> => ({
  transforms: 'hoist',
  'transforms.hoist.type': 'HoistField$Value',
  'transforms.hoist.field': field,
});

test('a changed chain is taken over between two records, without a start of the plugin or of its thread', async (t) => {
  const copy = await Copy.start(t);
  await copy.writes('a\n', 'a\n');
  await copy.change('in', copy.source(hoist('x')));
  await copy.takenOver('in', 1);
  await copy.writes('b\n', '{"x":"b"}\n');
  await copy.change('out', copy.sink(hoist('y')));
  await copy.takenOver('out', 1);
  await copy.writes('c\n', '{"y":"{\\"x\\":\\"c\\"}"}\n');
  await copy.change('in', copy.source());
  await copy.takenOver('in', 2);
  await copy.writes('d\n', '{"y":"d"}\n');
  assert.deepEqual(await copy.incarnations(), { 'in/0': 1, 'out/0': 1 });
  assert.equal((await copy.task('in')).config, undefined);
  assert.equal(contentOf(copy.output)?.toString(), 'a\n{"x":"b"}\n{"y":"{\\"x\\":\\"c\\"}"}\n{"y":"d"}\n');
});

test('a thread that is started after a change begins with it, and moves nothing with the config before', async (t) => {
  const copy = await Copy.start(t);
  await copy.writes('a\n', 'a\n');
  await copy.change('in', copy.source(hoist('x')));
  await copy.takenOver('in', 1);
  await copy.node.kill();
  appendFileSync(copy.input, 'b\n');
  await copy.node.start();
  await copy.writes('c\n', '{"x":"c"}\n');
  assert.equal(contentOf(copy.output)?.toString(), 'a\n{"x":"b"}\n{"x":"c"}\n');
});

test('a key of the connector itself starts its tasks anew, together with whatever else has changed', async (t) => {
  const copy = await Copy.start(t);
  await copy.writes('a\n', 'a\n');
  await copy.change('in', copy.source({ ...hoist('x'), 'skip.empty.lines': 'true' }));
  await until('it runs with that', () => {
    appendFileSync(copy.input, 'b\n');
    return contentOf(copy.output)?.toString().endsWith('{"x":"b"}\n');
  });
  await copy.writes('\nc\n', '{"x":"b"}\n{"x":"c"}\n');
  assert.equal(copy.said('in', 'is taken over'), 0);
});

test('a config that a task cannot use leaves the one before running, says so, and the next one is taken over', async (t) => {
  const copy = await Copy.start(t);
  await copy.change('in', copy.source(hoist('x')));
  await copy.takenOver('in', 1);
  const picky = copy.source({
    transforms: 'picky',
    'transforms.picky.type': 'Picky',
    'transforms.picky.needs': copy.needed,
  });
  // It is checked while there is what it needs, and the outcome kept.
  writeFileSync(copy.needed, '');
  await copy.node.request('PUT', '/connector-plugins/FileSourceConnector/config/validate', {
    ...picky,
    name: 'in',
  });
  rmSync(copy.needed);
  await copy.change('in', picky);
  const refused = await until('it says so', async () => {
    const { config } = await copy.task('in');
    return config === undefined || config.refused === null ? null : config;
  });
  assert.match(refused.reason ?? '', /what it needs is not there/);
  assert.ok(refused.running < Number(refused.refused));
  const { body } = await copy.node.request('GET', '/connectors/in/status');
  assert.deepEqual((body as { config: unknown }).config, refused);
  await copy.writes('a\n', '{"x":"a"}\n');
  await copy.change('in', copy.source(hoist('y')));
  await copy.takenOver('in', 2);
  await until('nothing is refused any more', async () => (await copy.task('in')).config === undefined);
  await copy.writes('b\n', '{"y":"b"}\n');
  assert.deepEqual(await copy.incarnations(), { 'in/0': 1, 'out/0': 1 });
});

test('a throttle is changed while it holds records back, and a paused connector takes a change over as well', async (t) => {
  const copy = await Copy.start(t);
  await copy.change('in', copy.source({ 'throttle.records.per.second': '1' }));
  await copy.takenOver('in', 1);
  const lines = Array.from({ length: 5000 }, (_, i) => `${i}\n`).join('');
  appendFileSync(copy.input, lines);
  await until('it is held back', async () => JSON.stringify(await copy.task('in')).includes('THROTTLED'));
  await copy.node.request('PUT', '/connectors/in/pause');
  await copy.node.state('in', 'PAUSED');
  await copy.change('in', copy.source(hoist('x')));
  await copy.takenOver('in', 2);
  assert.equal((await copy.task('in')).state, 'PAUSED');
  await copy.node.request('PUT', '/connectors/in/resume');
  await copy.writes('', '{"x":"4999"}\n');
  const found = contentOf(copy.output)?.toString().match(/\d+/g);
  assert.deepEqual(found, lines.trim().split('\n'));
  assert.deepEqual(await copy.incarnations(), { 'in/0': 1, 'out/0': 1 });
});
