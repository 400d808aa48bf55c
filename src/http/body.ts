/** The request's body: read within its limit, decoded, and checked to be a JSON object. */
import getRawBody from 'raw-body';

import type { Context } from './context.js';
import { HttpError } from './errors.js';
import { isJsonMap, parseJson, type JsonMap, type JsonValue } from './json.js';

/** Refuses a declared length beyond the limit, whatever the route, before a byte is read. */
export function refuseLargeBody(ctx: Context, maxBytes: number): void {
  const length = declaredLength(ctx);
  if (length !== null && length > maxBytes) throw tooLarge(maxBytes);
}

/** Node takes `gzip, chunked` apart into pieces, and leaves what they hold to us. */
export function refuseTransferEncoding(ctx: Context): void {
  const encoding = ctx.get('transfer-encoding').trim();
  if (encoding !== '' && encoding.toLowerCase() !== 'chunked') throw badTransferEncoding(encoding);
}

/** `encoding`: null where it is not known. */
export function badTransferEncoding(encoding: string | null): HttpError {
  const named =
    encoding === null ? 'This Transfer-Encoding' : `Transfer-Encoding "${encoding.slice(0, 100)}"`;
  return new HttpError(
    'TRANSFER_ENCODING_UNSUPPORTED',
    `${named} is not supported; send the body as it is, with a Content-Length or chunked.`,
    { headers: { connection: 'close' } },
  );
}

/** Koa's `request.length` is cut to 32 bits. */
function declaredLength(ctx: Context): number | null {
  const header = ctx.req.headers['content-length'];
  return header === undefined ? null : Number(header);
}

export async function readJsonObject(ctx: Context, maxBytes: number): Promise<JsonMap> {
  return (await readObject(ctx, maxBytes)).map;
}

/** The same, with numbers as numbers. */
export async function readPlainObject(
  ctx: Context,
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  // It was just parsed, as an object.
  return JSON.parse((await readObject(ctx, maxBytes)).text) as Readonly<Record<string, unknown>>;
}

/** Both: what is copied needs every digit, what is counted with needs numbers. */
export async function readBothForms(
  ctx: Context,
  maxBytes: number,
): Promise<{ readonly map: JsonMap; readonly plain: Readonly<Record<string, unknown>> }> {
  const { map, text } = await readObject(ctx, maxBytes);
  // It was just parsed, as an object.
  return { map, plain: JSON.parse(text) as Readonly<Record<string, unknown>> };
}

/** JSON of any kind, or, where the type says that it is text, the text. */
export async function readJsonOrText(
  ctx: Context,
  maxBytes: number,
): Promise<{ readonly json: JsonValue } | { readonly text: string }> {
  refuseEncoding(ctx);
  const text = decode(await readBytes(ctx, maxBytes), ctx);
  if (text.trim() === '') throw new HttpError('BODY_REQUIRED', 'This route needs a body; it is empty.');
  if (ctx.is('text/*', 'application/x-java-properties') !== false) return { text };
  return { json: parseDeclared(text, ctx) };
}

/** The text, too: numbers in it have all their digits. */
export async function readObject(
  ctx: Context,
  maxBytes: number,
): Promise<{ readonly text: string; readonly map: JsonMap }> {
  refuseEncoding(ctx);
  const text = decode(await readBytes(ctx, maxBytes), ctx);
  if (text.trim() === '')
    throw new HttpError('BODY_REQUIRED', 'This route needs a JSON object as its body; the body is empty.');
  const value = parseDeclared(text, ctx);
  if (!isJsonMap(value)) throw new HttpError('BODY_INVALID', 'The body must be a JSON object.');
  return { text, map: value };
}

async function readBytes(ctx: Context, maxBytes: number): Promise<Buffer> {
  ctx.state.call.waitingFor = "the request's body";
  // A client that sent `Expect: 100-continue` waits for this word.
  if (ctx.get('expect').toLowerCase() === '100-continue') ctx.res.writeContinue();
  try {
    return await getRawBody(ctx.req, { length: declaredLength(ctx), limit: maxBytes });
  } catch (error) {
    if (error instanceof Error && 'type' in error) {
      if (error.type === 'entity.too.large') throw tooLarge(maxBytes);
      if (error.type === 'request.aborted' || error.type === 'request.size.invalid') {
        throw new HttpError('HTTP_MALFORMED', 'The connection ended before the whole body was there.', {
          cause: error,
        });
      }
    }
    throw error;
  }
}

function tooLarge(maxBytes: number): HttpError {
  // The rest of the body is not worth reading, so the connection cannot serve another request.
  return new HttpError('BODY_TOO_LARGE', `The body is larger than the ${maxBytes} bytes accepted.`, {
    headers: { connection: 'close' },
  });
}

function refuseEncoding(ctx: Context): void {
  const encoding = ctx.get('content-encoding').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    throw new HttpError(
      'UNSUPPORTED_MEDIA_TYPE',
      `Content-Encoding "${encoding}" is not accepted; send plain JSON.`,
    );
  }
  const charset = ctx.request.charset.toLowerCase();
  if (charset !== '' && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', `Character set "${charset}" is not accepted; send UTF-8.`);
  }
}

function decode(bytes: Buffer, ctx: Context): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw notJson(ctx, new HttpError('BODY_NOT_JSON', 'The body is not valid UTF-8.', { cause: error }));
  }
}

function parseDeclared(text: string, ctx: Context): ReturnType<typeof parseJson> {
  try {
    return parseJson(text);
  } catch (error) {
    throw error instanceof HttpError ? notJson(ctx, error) : error;
  }
}

/** JSON sent under another name is taken for what it is; what is no JSON and says so is told the type. */
function notJson(ctx: Context, error: HttpError): HttpError {
  const type = ctx.request.type;
  if (type === '' || ctx.is('json', '+json') !== false) return error;
  return new HttpError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Content-Type "${type}" is not accepted; send application/json.`,
    {
      cause: error,
    },
  );
}
