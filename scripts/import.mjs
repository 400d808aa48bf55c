/**
 * `npm run import -- FILE…`: what becomes of connectors of Kafka Connect or RocketMQ Connect, key by key, as a running node
 * sees them. JSON, answers of their REST and .properties; `-` is the standard input.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const USAGE = `npm run import -- [--create] [--state=STATE] [--url=URL] [--json] FILE…

  --dry-run      says what would become of each key, and creates nothing; so it is without --create, too
  --create       creates each connector that has nothing against it
  --state=STATE  of those that are created: RUNNING, PAUSED or STOPPED; else as the file says, or RUNNING
  --url=URL      of a node; http://127.0.0.1:8082 where it is not given
  --json         prints the node's answer
  FILE           JSON, an answer of GET /connectors?expand=info, or .properties; - is the standard input

Ends with 0 when nothing is refused, with 1 when something is, with 2 when it could not be asked.
`;

process.exitCode = await main().catch((error) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 2;
});

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      create: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      state: { type: 'string' },
      url: { type: 'string', default: 'http://127.0.0.1:8082' },
    },
  });
  if (values.help || positionals.length === 0) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  if (values.create && values['dry-run']) throw new Error('--create and --dry-run exclude each other');
  const files = await Promise.all(
    positionals.map(async (name) => ({
      name,
      content: name === '-' ? await standardInput() : await readFile(name, 'utf8'),
    })),
  );
  const answer = await ask(values, files);
  if (values.json) console.log(JSON.stringify(answer, null, 2));
  else print(answer);
  const bad = answer.connectors.some(({ state }) => state === 'REFUSED' || state === 'NOT_REACHED');
  return bad || answer.problems.length > 0 ? 1 : 0;
}

async function standardInput() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function ask({ url, create, state }, files) {
  const query = new URLSearchParams({ create: String(create), ...(state && { state }) });
  let response;
  try {
    response = await fetch(new URL(`/import?${query}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ files }),
    });
  } catch (error) {
    throw new Error(`no node answers at ${url}: ${error.cause?.message ?? error.message}`, { cause: error });
  }
  const body = await response.json();
  if (!response.ok) throw new Error(`${response.status}: ${body.message}`);
  return body;
}

function print({ connectors, problems }) {
  for (const { origin, reason } of problems) console.log(`${origin}: ${reason}\n`);
  for (const each of connectors) {
    const ran = each.plugin === null ? '' : ` (${each.plugin}, ${each.type})`;
    console.log(`${each.state}  ${each.name || '(no name)'}  ${each.class}${ran}  in ${each.origin}`);
    for (const { key, verdict, to, reason } of each.keys)
      console.log(`  ${verdict.padEnd(11)} ${key}${to ? ` → ${to}` : ''}${reason ? `: ${reason}` : ''}`);
    const told = new Set(each.keys.map(({ key }) => key));
    for (const { field, reason } of each.errors)
      if (!told.has(field)) console.log(`  error       ${field}: ${reason}`);
    for (const note of each.notes) console.log(`  note        ${note}`);
    console.log('');
  }
}
