/** Plays requests.json on something that has Kafka Connect's REST, and takes down what it answers, apart from what differs between two plays on the same. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Step {
  /** The situation; each once. */
  readonly name: string;
  readonly send: readonly [method: string, path: string];
  readonly body?: Json;
  /** Instead of `body`: sent as it is. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked again until these places (RFC 6901, and `length`) have these values. */
  readonly until?: Readonly<Record<string, Json>>;
  /** The answer's keys, or items, are each system's own names: only what stands beside them is taken down. */
  readonly names?: boolean;
  /** Statuses after which it is sent again. */
  readonly retry?: readonly number[];
}

export interface Answered {
  readonly name: string;
  readonly status: number;
  /** null: there was none. */
  readonly type: string | null;
  readonly location: string | null;
  /** null: empty. */
  readonly body: Json;
}

export interface Target {
  readonly url: string;
  /** Holds in.txt, which the script's source reads, and takes out.txt. */
  readonly dir: string;
  readonly workerId: string;
}

/** From dist/test/conformance/kafka-connect/. */
const DATA = new URL('../../../../test/conformance/kafka-connect/', import.meta.url);
/** A bound, not an expectation. */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 50;
/** What a worker says while its cluster settles. */
const UNSETTLED = /rebalance|stale configuration/;

export const INPUT = 'one\ntwo\nthree\n';

export function dataPath(name: string): URL {
  return new URL(name, DATA);
}

export function readData(name: string): unknown {
  return JSON.parse(readFileSync(dataPath(name), 'utf8')) as unknown;
}

export function steps(): readonly Step[] {
  // The file is ours, of this shape.
  return readData('requests.json') as readonly Step[];
}

export async function play(target: Target, patienceMs = PATIENCE_MS): Promise<readonly Answered[]> {
  const answers: Answered[] = [];
  for (const step of steps()) answers.push(await answer(step, target, patienceMs));
  return answers;
}

/** The last answer, where none came as it should. */
async function answer(step: Step, target: Target, patienceMs: number): Promise<Answered> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const answered = await send(step, target);
    const message = at(answered.body, '/message');
    const refused = answered.status === 409 || answered.status === 500;
    const unsettled = refused && typeof message === 'string' && UNSETTLED.test(message);
    const again = unsettled || step.retry?.includes(answered.status) === true;
    // A route that is not there does not come.
    if (at(answered.body, '/code') === 'ROUTE_NOT_FOUND') return answered;
    if ((!again && isReached(step, answered)) || performance.now() > end) return answered;
    await delay(AGAIN_MS);
  }
}

async function send(step: Step, target: Target): Promise<Answered> {
  const { name, raw, headers } = step;
  const [method, path] = step.send;
  const sent = step.body === undefined ? raw : JSON.stringify(step.body).replaceAll('{dir}', target.dir);
  const response = await fetch(`${target.url}${path}`, {
    method,
    ...(sent !== undefined && { body: sent }),
    headers: { ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers },
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = parse(await response.text());
  const body = step.names === true && response.ok ? unnamed(text) : text;
  const location = response.headers.get('location');
  return {
    name,
    status: response.status,
    type: response.headers.get('content-type')?.split(';')[0] ?? null,
    location: location === null ? null : steadyText(location, target),
    body: steady(body, target, ''),
  };
}

function unnamed(body: Json): Json {
  if (Array.isArray(body)) return (body as readonly Json[]).map(() => '{name}').slice(0, 1);
  if (typeof body !== 'object' || body === null) return body;
  const [first] = Object.values(body);
  return first === undefined ? {} : { '{name}': first };
}

function parse(text: string): Json {
  if (text === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function isReached({ until = {} }: Step, { body }: Answered): boolean {
  return Object.entries(until).every(([pointer, value]) => {
    return at(body, pointer) === value;
  });
}

export function at(body: Json, pointer: string): Json | undefined {
  let here: Json | undefined = body;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof here !== 'object' || here === null) return undefined;
    if (part === 'length') here = Object.keys(here).length;
    else
      here = Array.isArray(here)
        ? (here as readonly Json[])[Number(part)]
        : (here as { readonly [key: string]: Json })[part];
  }
  return here;
}

/** What is another at each play, or is prose, is told as what it is. */
function steady(value: Json, target: Target, key: string): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => steady(item, target, ''));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, steady(item, target, name)]),
    );
  if (key === 'last_modified' && typeof value === 'number') return '{milliseconds}';
  if (typeof value !== 'string' || value === '') return value;
  if (key === 'documentation' || key === 'trace') return '{text}';
  if (key === 'version' && /^\d+\.\d+/.test(value)) return '{version}';
  if (key === 'commit' || key === 'kafka_cluster_id') return '{id}';
  return steadyText(value, target);
}

function steadyText(text: string, { url, dir, workerId }: Target): string {
  return text
    .replaceAll(url, '{url}')
    .replaceAll(dir, '{dir}')
    .replaceAll(workerId, '{worker}')
    .replaceAll(/\b\d+ ms\b/g, '{n} ms');
}
