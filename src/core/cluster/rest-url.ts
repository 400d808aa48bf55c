/** Where REST answers: an IPv6 address stands in brackets. */
export function restUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
