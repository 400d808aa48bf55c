/** Why REST cannot listen, with the parameter to change. Said by the supervisor before anything starts, and by the server. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: 'HTTP_PORT_IN_USE' | 'HTTP_ADDRESS_REFUSED';
  constructor(code: ListenError['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** `error` is that of a socket that was to listen. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const refused = (message: string): ListenError => new ListenError('HTTP_ADDRESS_REFUSED', message, error);
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError(
        'HTTP_PORT_IN_USE',
        `httpPort = ${port}: this port of ${host} is in use by another program: set httpPort to a free one, or stop that program`,
        error,
      );
    case 'EACCES':
      return refused(
        `httpPort = ${port}: this user may not listen on this port: set httpPort to one above 1023`,
      );
    default:
      return refused(
        `httpHost = ${host}: this is no address of this machine (${error.code ?? error.message})`,
      );
  }
}
