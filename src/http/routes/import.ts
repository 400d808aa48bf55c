/** Ours: configurations of Kafka Connect and RocketMQ Connect, several at once. */
import {
  parseForeignFile,
  parseForeignJson,
  type ForeignFile,
} from '../../core/connectors/foreign-connectors.js';
import { readJsonOrText } from '../body.js';
import type { RouteContext, RouteDeps } from '../context.js';
import { HttpError } from '../errors.js';
import { importConnector, notReached, type Imported } from '../import.js';
import { isJsonMap, type JsonValue } from '../json.js';
import { schema } from '../openapi/schemas.js';
import { choice, flag } from './parameters.js';
import { flagParameter, json, type Route } from './route.js';

/** Of the time of a request: what is begun may end in it. */
const KEPT_MS = 2000;
const MAX_FILES = 500;

export function importRoutes(deps: RouteDeps): readonly Route[] {
  return [
    {
      method: 'post',
      path: '/import',
      summary: 'What becomes of configurations that were written for Kafka Connect or RocketMQ Connect.',
      query: {
        create: flagParameter('true: each connector that has nothing against it is created.'),
        state: {
          description: 'Of those that are created; else as they say, or RUNNING.',
          schema: { type: 'string', enum: ['as_is', 'RUNNING', 'PAUSED', 'STOPPED'] },
        },
      },
      body: schema('ImportSent'),
      answers: { 200: json('Key by key.', schema('Import')) },
      handle: (ctx) => importAll(ctx, deps),
    },
  ];
}

async function importAll(ctx: RouteContext, deps: RouteDeps): Promise<void> {
  const create = flag(ctx, 'create', false);
  const state = choice(ctx, 'state', ['as_is', 'RUNNING', 'PAUSED', 'STOPPED']);
  const body = await readJsonOrText(ctx, deps.maxBodyBytes);
  const files = 'text' in body ? [parseForeignFile('body', body.text)] : ofJson(body.json);
  const connectors: Imported[] = [];
  const options = { create, state: state === 'as_is' ? null : state };
  let over = false;
  for (const foreign of files.flatMap((file) => file.connectors)) {
    over ||= ctx.state.call.remainingMs() < KEPT_MS || ctx.state.call.gone.aborted;
    // One after the other: each is whole, whatever becomes of the next.
    try {
      connectors.push(over ? notReached(foreign) : await importConnector(ctx, deps, foreign, options));
    } catch (error) {
      // What is created is told in any case.
      if (!connectors.some((each) => each.state === 'CREATED')) throw error;
      over = true;
      connectors.push(notReached(foreign));
    }
  }
  ctx.body = {
    created: connectors.filter((each) => each.state === 'CREATED').length,
    refused: connectors.filter((each) => each.state === 'REFUSED').length,
    connectors,
    problems: files.flatMap(({ problems }) => problems),
  };
}

/** `{files: [{name, content}]}`, or what a file would hold. */
function ofJson(body: JsonValue): readonly ForeignFile[] {
  const files = isJsonMap(body) ? body['files'] : undefined;
  if (files === undefined) return [parseForeignJson('body', body)];
  if (!Array.isArray(files) || files.length > MAX_FILES) throw badFiles();
  return (files as readonly JsonValue[]).map((file) => {
    if (!isJsonMap(file)) throw badFiles();
    const { name, content } = file;
    if (typeof name !== 'string' || typeof content !== 'string') throw badFiles();
    return parseForeignFile(name.slice(0, 255), content);
  });
}

function badFiles(): HttpError {
  const reason = `must be a list of at most ${MAX_FILES} objects {"name": …, "content": …}, both texts`;
  return new HttpError('BODY_INVALID', `The body is invalid: files ${reason}.`, {
    fields: [{ field: 'files', value: null, reason }],
  });
}
