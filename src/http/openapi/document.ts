/** The description of the API, in OpenAPI 3.1, made from the table that the router is made from. */
import { ERRORS, type ErrorCode } from '../errors.js';
import type { Answer, QueryParameter, Route } from '../routes/route.js';
import { ref, SCHEMAS, type Schema } from './schemas.js';

/** What any route may answer, whatever is asked of it. */
const ANYWHERE: readonly ErrorCode[] = [
  'HTTP_MALFORMED',
  'URL_MALFORMED',
  'QUERY_INVALID',
  'HOST_NOT_ALLOWED',
  'FOREIGN_SITE',
  'METHOD_NOT_ALLOWED',
  'REQUEST_TOO_SLOW',
  'BODY_TOO_LARGE',
  'HEADERS_TOO_LARGE',
  'INTERNAL',
  'REQUEST_TIMEOUT',
  'TRANSFER_ENCODING_UNSUPPORTED',
  'LOG_REFUSED',
  'ACTOR_DOWN',
  'MAILBOX_FULL',
  'LOG_UNAVAILABLE',
  'LOG_FULL',
  'TOO_BUSY',
  'SHUTTING_DOWN',
];
const WITH_BODY: readonly ErrorCode[] = [
  'BODY_REQUIRED',
  'BODY_NOT_JSON',
  'BODY_INVALID',
  'UNSUPPORTED_MEDIA_TYPE',
];

type Json = Readonly<Record<string, unknown>>;

export interface Document extends Json {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

export function openApi(routes: readonly Route[], version: string): Document {
  const paths = new Map<string, Map<string, Json>>();
  const paired = new Map<string, Route[]>();
  for (const route of routes) {
    const key = `${route.method} ${route.path}`;
    paired.set(key, [...(paired.get(key) ?? []), route]);
  }
  for (const group of paired.values()) {
    // The last one is that of the JSON shape, where there are several.
    const route = group.at(-1);
    if (route === undefined) continue;
    const operations = paths.get(route.path) ?? new Map<string, Json>();
    operations.set(route.method, operation(route, group));
    paths.set(route.path, operations);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Troupe',
      version,
      description: "Connectors over REST, in Kafka Connect's routes, RocketMQ Connect's, and Troupe's own.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths: Object.fromEntries([...paths].map(([path, methods]) => [path, Object.fromEntries(methods)])),
    components: { schemas: SCHEMAS },
  };
}

function operation(route: Route, group: readonly Route[]): Json {
  const { method, path, summary, body } = route;
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    })),
    ...group.flatMap(({ query = {}, headers = {} }) => [
      ...described('query', query),
      ...described('header', headers),
    ]),
  ];
  return {
    operationId: operationId(method, path),
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: responses(group),
  };
}

function described(place: string, parameters: Readonly<Record<string, QueryParameter>>): readonly Json[] {
  return Object.entries(parameters).map(([name, { description, schema, required }]) => ({
    name,
    in: place,
    description,
    ...(required && { required }),
    schema,
  }));
}

/** `put /connectors/{name}/pause` → `putConnectorsNamePause`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('') || method;
}

function responses(group: readonly Route[]): Json {
  const all = new Map<number, Answer>();
  for (const { answers } of group) {
    for (const [status, answer] of Object.entries(answers)) {
      const known = all.get(Number(status));
      const content = { ...known?.content, ...answer.content };
      all.set(Number(status), { ...answer, ...(Object.keys(content).length > 0 && { content }) });
    }
  }
  const described = new Map<number, Json>();
  for (const [status, { description, content }] of all)
    described.set(status, { description, ...(content && { content: withSchemas(content) }) });
  for (const [status, codes] of errorsOf(group)) {
    const own = all.get(status);
    const error = { 'application/json': own?.content?.['application/json'] };
    const schemas = error['application/json'] === undefined ? [] : [error['application/json']];
    const either = [...schemas, ref('Error')];
    const schema = either.length === 1 ? either[0] : { anyOf: either };
    described.set(status, {
      description: [...(own === undefined ? [] : [own.description]), ...codes].join(' '),
      content: {
        'application/json': { schema },
        // RocketMQ Connect's first routes tell failures as text.
        ...(answersText(group) && { 'text/plain': { schema: { type: 'string' } } }),
      },
    });
  }
  return Object.fromEntries([...described].sort(([a], [b]) => a - b));
}

function answersText(group: readonly Route[]): boolean {
  return group.some(({ answers }) =>
    Object.values(answers).some(({ content }) => content?.['text/plain'] !== undefined),
  );
}

function withSchemas(content: Readonly<Record<string, Schema>>): Json {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}

function errorsOf(group: readonly Route[]): ReadonlyMap<number, readonly string[]> {
  const codes = new Set<ErrorCode>(ANYWHERE);
  for (const { body, errors = [] } of group) {
    for (const code of body === undefined ? errors : [...WITH_BODY, ...errors]) codes.add(code);
  }
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status, meaning } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${code}: ${meaning}`]);
  }
  return byStatus;
}
