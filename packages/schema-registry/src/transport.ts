/** Requests to a registry. What fails on the way, and what another try may find otherwise, is RetriableError. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as overHttp } from 'node:http';
import { request as overTls, type RequestOptions } from 'node:https';
import { RetriableError } from '@troupe/sdk';

export interface RegistryAddress {
  readonly urls: readonly URL[];
  /** `user:password`; null: as the URL says. */
  readonly userInfo: string | null;
  readonly timeoutMs: number;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MEDIA = 'application/vnd.schemaregistry.v1+json';

/** `path`: below the URL. Any answer below 500 that is JSON; else RetriableError REGISTRY_AWAY. */
export async function ask(
  address: RegistryAddress,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Answer> {
  const reasons: string[] = [];
  for (const url of address.urls) {
    try {
      return await askOne(address, url, method, path, body);
    } catch (error) {
      reasons.push(`${url.host}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new RetriableError(`the schema registry does not answer (${reasons.join('; ').slice(0, 500)})`, {
    code: 'REGISTRY_AWAY',
  });
}

async function askOne(
  address: RegistryAddress,
  url: URL,
  method: string,
  path: string,
  body: object | undefined,
): Promise<Answer> {
  const { status, text } = await exchange(address, url, method, path, body);
  if (status >= 500 || status === 429) throw new Error(`it answers with status ${status}`);
  // What is wrong with credentials is for a person to change, and no record's fault.
  if (status === 401 || status === 403)
    throw new Error(`it refuses the credentials of basic.auth (status ${status})`);
  try {
    return { status, body: JSON.parse(text) };
  } catch {
    throw new Error(
      `its answer with status ${status} is not JSON: schema.registry.url may not be that of a registry`,
    );
  }
}

function exchange(
  address: RegistryAddress,
  url: URL,
  method: string,
  path: string,
  body: object | undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? null : Buffer.from(JSON.stringify(body));
    const options: RequestOptions = {
      method,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: url.pathname.replace(/\/$/, '') + path,
      signal: AbortSignal.timeout(address.timeoutMs),
      headers: {
        accept: `${MEDIA}, application/json`,
        ...(data === null ? {} : { 'content-type': MEDIA, 'content-length': data.length }),
      },
      ...authOf(address, url),
    };
    const onAnswer = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          request.destroy(new Error(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    };
    const request: ClientRequest =
      url.protocol === 'https:'
        ? overTls({ ...options, ...tlsOf(address) }, onAnswer)
        : overHttp(options, onAnswer);
    request.once('error', (error) => {
      reject(error.name === 'AbortError' || error.name === 'TimeoutError' ? late(address) : error);
    });
    request.end(data ?? undefined);
  });
}

function late({ timeoutMs }: RegistryAddress): Error {
  return new Error(`it did not answer within ${timeoutMs} ms`);
}

function authOf({ userInfo }: RegistryAddress, url: URL): { auth?: string } {
  if (userInfo !== null) return { auth: userInfo };
  if (url.username === '') return {};
  return { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` };
}

function tlsOf({ ca, cert, key }: RegistryAddress): Pick<RequestOptions, 'ca' | 'cert' | 'key'> {
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
  };
}
