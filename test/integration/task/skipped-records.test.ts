import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

test('records that are skipped leave a trace in the status and in the log', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  writeFileSync(join(dir, 'in.txt'), 'one\n');
  await node.run('skips', {
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 'kept',
    'errors.tolerance': 'all',
    transforms: 'key',
    'transforms.key.type': 'ValueToKey',
    'transforms.key.fields': 'id',
  });
  await until('the status counts it', async () => {
    const { body } = await node.request('GET', '/connectors/skips/status');
    return (body as { tasks: { skipped?: number }[] }).tasks[0]?.skipped === 1;
  });
  assert.match(node.output, /RECORDS_SKIPPED[^\n]*transform key/);
});

test('what a plugin notes stands in the status of its task', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const file = join(dir, 'missing.txt');
  await node.run('waits', { 'connector.class': 'FileSourceConnector', file, topic: 'kept' });
  const note = await until('the status has it', async () => {
    const { body } = await node.request('GET', '/connectors/waits/tasks/0/status');
    return (body as { notes?: { code: string; message: string }[] }).notes?.[0];
  });
  assert.equal(note.code, 'FILE_MISSING');
  assert.match(note.message, /: 1, the last: .*missing\.txt$/);
  writeFileSync(file, 'there\n');
  await until('it is taken back', async () => {
    const { body } = await node.request('GET', '/connectors/waits/tasks/0/status');
    return (body as { notes?: unknown }).notes === undefined;
  });
});

test('bad lines of a file are skipped where that is tolerated, once, also when the node dies after them', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const [input, output] = [join(dir, 'in.json'), join(dir, 'out.json')];
  const json = { 'value.converter': 'JsonConverter', 'value.converter.schemas.enable': 'false' };
  const written = (): string => {
    try {
      return readFileSync(output, 'utf8');
    } catch {
      return '';
    }
  };
  const skipped = async (): Promise<number | undefined> => {
    const { body } = await node.request('GET', '/connectors/lines/status');
    return (body as { tasks: { skipped?: number }[] }).tasks[0]?.skipped;
  };
  writeFileSync(input, '{"n":1}\nno json\n{"n":1e400}\n{"n":2}\nworse\n');
  await node.start();
  await node.run('lines', {
    'connector.class': 'FileSourceConnector',
    file: input,
    topic: 'lines',
    format: 'json',
    'errors.tolerance': 'all',
    ...json,
  });
  await node.run('out', { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output, ...json });
  await until('three lines are skipped', async () => (await skipped()) === 3);
  await until('the others are there', () => written() === '{"n":1}\n{"n":2}\n');
  assert.match(node.output, /is not JSON/);
  assert.doesNotMatch(node.output, /worse/);
  await node.kill();
  appendFileSync(input, '{"n":3}\nworst\n{"n":4}\n');
  await node.start();
  await until('what follows is there', () => written().endsWith('{"n":4}\n'));
  assert.equal(written(), '{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n');
  // Told after the records, and to all nodes: until then the status is that of the node that died.
  await until('what was skipped is counted from the start', async () =>
    [1, 2].includes((await skipped()) ?? 0),
  );
});
