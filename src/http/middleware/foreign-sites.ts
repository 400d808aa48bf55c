/**
 * Refuses what a browser sends for somebody else's page. REST has no login: what protects it is that only programs
 * of this machine reach it, and a browser is such a program that runs strangers' code. So a request must address this
 * node by a name that cannot be rebound (Host), and must not come from another site (Origin, Sec-Fetch-Site).
 */
import { isIP } from 'node:net';

import type { Context, Middleware, Next } from '../context.js';
import { HttpError } from '../errors.js';

export interface HostRule {
  /** The address listened on, as configured. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
}

export function refuseForeignSites(rule: HostRule): Middleware {
  const allowed = new Set(['localhost', rule.host, ...rule.allowedHosts].map(bareHost));
  return async (ctx: Context, next: Next): Promise<void> => {
    const host = hostOf(ctx);
    if (!isProbe(ctx) && !isAllowed(host, allowed, ctx.req.socket.localAddress)) {
      throw new HttpError(
        'HOST_NOT_ALLOWED',
        `This node does not answer to the host "${host.slice(0, 100)}". Add the name to http.allowed.hosts if it is the node's.`,
      );
    }
    const reason = foreign(ctx, host);
    if (reason !== null)
      throw new HttpError('FOREIGN_SITE', `Requests from other web sites are refused: ${reason}.`);
    await next();
  };
}

/**
 * For the GET routes that change something. Outside loopback a browser sends no Sec-Fetch-Site over plain HTTP and no
 * Origin with a GET, so there a page could still embed them: a browser must prove that it is not one.
 */
export function refuseBrowsersUnlessSameSite(ctx: Context): void {
  const site = ctx.get('sec-fetch-site');
  if (!ctx.get('user-agent').includes('Mozilla/') || site === 'same-origin' || site === 'none') return;
  throw new HttpError(
    'FOREIGN_SITE',
    'This GET changes something, so browsers may not send it from a page; use the PUT, POST or DELETE route.',
  );
}

/** What the request line names comes before the header, as for a proxy (RFC 9112). */
function hostOf({ req }: Context): string {
  const named = req.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length;
  if (named > 1) throw new HttpError('HTTP_MALFORMED', 'The request has more than one Host header.');
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(req.url ?? '')?.[1] ?? req.headers.host ?? '';
}

/**
 * What load balancers ask, many without a Host or by an address that is not this machine's own: HAProxy sends
 * `OPTIONS / HTTP/1.0` or `GET /health HTTP/1.0`. A stranger's page learns from it no more than that a node runs here.
 */
function isProbe(ctx: Context): boolean {
  if (ctx.method === 'OPTIONS') return true;
  return (ctx.method === 'GET' || ctx.method === 'HEAD') && /^\/health\/?$/i.test(ctx.path);
}

function isAllowed(host: string, allowed: ReadonlySet<string>, localAddress: string | undefined): boolean {
  const name = bareHost(withoutPort(host));
  if (name === '') return false;
  if (allowed.has(name)) return !isWildcard(name);
  if (isIP(name) === 0) return false;
  // An address cannot be rebound: loopback's, and the one that the connection came to.
  return isLoopback(name) || name === bareHost(localAddress ?? '');
}

function foreign(ctx: Context, host: string): string | null {
  const site = ctx.get('sec-fetch-site');
  if (site !== '' && site !== 'same-origin' && site !== 'none')
    return `Sec-Fetch-Site is ${site.slice(0, 40)}`;
  const origin = ctx.req.headers.origin;
  if (origin === undefined) return null;
  return sameHost(origin, host) ? null : `Origin is ${origin.slice(0, 100)}`;
}

function sameHost(origin: string, host: string): boolean {
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  const from = new URL(origin);
  return (
    (from.protocol === 'http:' || from.protocol === 'https:') &&
    from.host === new URL(`${from.protocol}//${host}`).host
  );
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '');
}

/** Lower case, without the brackets of an IPv6 address, its IPv4 mapping or the final dot of a name. */
function bareHost(host: string): string {
  const bare = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  return bare.replace(/^::ffff:(?=\d+\.)/, '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** Listening on every address says nothing about which names are ours. */
function isWildcard(name: string): boolean {
  return name === '0.0.0.0' || name === '::';
}
