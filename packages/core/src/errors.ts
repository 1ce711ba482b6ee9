import type { CountedLimit } from './limits.ts';

/**
 * Every failure that postern itself reports has a code from this registry. Codes are stable: scripts and log rules may
 * depend on them. `docs/reference/errors.md` is generated from here.
 */
export const errorCodes = {
  // the application, as it is loaded and as it answers
  ERR_APP_LOAD: 'The application module could not be loaded, or threw while it loaded.',
  ERR_APP_EXPORT: 'The application module exports nothing that can be served (default export, `app`, or `handler`).',
  ERR_APP_INTERFACE: 'The kind of application is unclear: name it with --interface environ, node or fetch.',
  ERR_APP_REPLY: 'The application answered with something that is not a reply.',
  ERR_ROLE: 'There is an authorizer or filter and no application: FastCGI alone can ask it.',
  ERR_AUTHORIZER:
    'An authorizer answered with a success that is no allow, or allowed with a variable that cannot be sent.',
  ERR_APP_ERROR: 'The application threw, or its promise was rejected.',
  ERR_HEADERS_SENT: 'The head of the reply has been sent already.',
  ERR_STATUS: 'The status of a reply must be a whole number from 200 to 999.',
  ERR_HEADER_NAME: 'A header name must be a token (RFC 9110 §5.1).',
  ERR_HEADER_VALUE:
    'A header value or reason holds a character that may not be sent (CR, LF, NUL, a control, or above U+00FF).',
  ERR_HEADER_BLOCK: 'The reply has more header fields or header bytes than the limit or the protocol allows.',
  ERR_HEADER_PAGE: 'The head of a reply is larger than nginx reads by default; it is sent, and nginx may answer 502.',
  ERR_CONTENT_LENGTH: 'The Content-Length of a reply is not one whole number.',
  ERR_BODY_LONG: 'A body, of a reply or of a request that a client sends, has more bytes than its Content-Length.',
  ERR_BODY_CUT: 'A body, of a reply or of a request that a client sends, ended before its Content-Length was reached.',
  ERR_UPGRADE:
    'An upgrade (101) cannot be had: none was asked for, the web server does not carry it, or its answer is no HTTP.',
  ERR_WRITE_AFTER_END: 'A body was written to after its end.',
  ERR_BODY_USED: 'The request body is being read already.',
  // the peer, on the wire
  ERR_ABORTED: 'The peer cancelled the request, or its connection closed.',
  ERR_BODY_SHORT: 'The request body ended before its declared length.',
  ERR_BODY_EXCESS: 'A web server sent more of a request body than its CONTENT_LENGTH; what was too much is dropped.',
  ERR_BODY_LIMIT: 'The request body is larger than maxBody, or than the bound of the helper that read it.',
  ERR_ENV_BYTES: 'The request variables have more bytes than maxEnvBytes.',
  ERR_ENV_COUNT: 'The request has more variables than maxEnvCount, or than the protocol allows.',
  ERR_ENV_ITEM: 'A variable has a longer name or value than the limit.',
  ERR_ENV_PAIR: 'The name-value pairs are malformed.',
  ERR_ENV_NAME: 'A variable name is empty or holds a byte that no name may have.',
  ERR_ENV_VALUE: 'A variable value holds NUL, or CR or LF in a header.',
  ERR_ENV_REPEATED: 'A variable that must be single came twice with different values.',
  ERR_ENV_METHOD:
    'REQUEST_METHOD is missing or no token: the web server sends no request variables (nginx: include fastcgi_params).',
  ERR_ENV_LENGTH: 'CONTENT_LENGTH is not a whole number.',
  ERR_ENV_PROTOCOL: 'SERVER_PROTOCOL is not an HTTP version.',
  ERR_ENV_TARGET: 'The request target cannot be read as a URL.',
  ERR_WRONG_PROTOCOL: 'The peer speaks another protocol than the one that is served here.',
  ERR_FCGI_VERSION: 'A FastCGI record has a version other than 1.',
  ERR_FCGI_RECORD: 'A FastCGI record is malformed or not allowed here.',
  ERR_FCGI_STATE: 'A FastCGI record came in a state that forbids it.',
  ERR_FCGI_JUNK: 'Too many FastCGI records that belong to no request.',
  ERR_FLOOD:
    'More aborted requests than maxAbortedRequests, or more messages about a connection than maxManagementMessages, in ten seconds.',
  ERR_FCGI_CONCURRENT: 'More requests at once on one connection than maxConcurrentPerConnection.',
  ERR_SCGI_NETSTRING: 'The SCGI netstring is malformed.',
  ERR_SCGI_HEADERS: 'The SCGI header block is malformed.',
  ERR_AJP_PACKET: 'An AJP packet is malformed or larger than the packet size.',
  ERR_AJP_MESSAGE: 'An AJP message is not allowed here.',
  ERR_AJP_ATTRIBUTE: 'An AJP request attribute is unknown or not allowed.',
  ERR_AJP_BODY: 'AJP Content-Length and Transfer-Encoding contradict each other.',
  ERR_AJP_SECRET: 'An AJP request came without the secret that is set here, or with another.',
  ERR_HTTP_REQUEST:
    'An HTTP request is malformed, its head is too large, or too many were sent ahead of their replies.',
  ERR_UWSGI_BLOCK: 'The uwsgi block of variables is malformed.',
  ERR_UWSGI_VARIABLE:
    'A web server sent a variable that loads code in uWSGI (UWSGI_SCRIPT, UWSGI_FILE …); it is dropped.',
  ERR_UWSGI_MODIFIER: 'A uwsgi modifier other than those that are served here.',
  ERR_REPLY: 'The reply of the back-end is malformed.',
  ERR_REQUEST_STATE: 'A client asked on a connection that cannot take a request now.',
  ERR_PROTOCOL_LACKS: 'A client asked for what its protocol does not have: a role, a ping, the values of a back-end.',
  ERR_BACKEND_BUSY: 'The back-end refused a request because it has too many (FastCGI OVERLOADED).',
  ERR_BACKEND_MULTIPLEX:
    'The back-end refused a further request on a connection that carries one already (FastCGI CANT_MPX_CONN).',
  ERR_BACKEND_ROLE: 'The back-end does not serve the role that was asked for (FastCGI UNKNOWN_ROLE).',
  ERR_TIMEOUT_REPLY: 'The back-end was silent for longer than the timeout of the request.',
  ERR_TIMEOUT_READ:
    'The answer of a back-end was not read for the timeout of its request, while others waited on its connection.',
  ERR_TIMEOUT_HEAD: 'The request head did not come within headersTimeout.',
  ERR_TIMEOUT_BODY: 'The request body stalled for bodyIdleTimeout.',
  ERR_TIMEOUT_STALL:
    'A request body that the application does not read kept others on its connection waiting for stallTimeout.',
  ERR_SPOOL: 'A request body that waits for its application could not be written to, or read from, a temporary file.',
  ERR_TIMEOUT_APP: 'The application did not begin its reply within appTimeout.',
  ERR_TIMEOUT_WRITE: 'The peer did not read the reply for writeTimeout.',
  ERR_SHUTDOWN: 'The server stopped before the request was done.',
  ERR_CONNECTIONS: 'A connection came above maxConnections: its request is answered 503, or it is closed at once.',
  ERR_CONCURRENT: 'A request came above maxConcurrent and was answered 503.',
  ERR_PEER: 'A peer that `allow` does not name connected and was turned away.',
  ERR_ACCEPT: 'The system could not hand over a connection (too many open files, for instance); listening goes on.',
  // addresses and listening
  ERR_ADDRESS: 'An address cannot be understood.',
  ERR_ADDRESS_KEY: 'An address has a query key that is unknown, or has no meaning there.',
  ERR_ADDRESS_IN_USE: 'Another process listens on the address.',
  ERR_ADDRESS_DENIED: 'No permission to listen on the address.',
  ERR_ADDRESS_UNAVAILABLE: 'The address does not exist on this machine, or cannot be connected to.',
  ERR_ADDRESS_OPEN: 'Listening off loopback needs to be told who may connect (allow=CIDR), or for AJP a secret.',
  ERR_SECRET: 'The AJP secret cannot be read, or has not from 1 to 255 bytes.',
  ERR_TLS_FILE: 'A certificate or key cannot be read, is no PEM, or they do not belong together.',
  ERR_SOCKET_PATH: 'A unix socket cannot be made at the path.',
  ERR_SOCKET_OWNER: 'The owner, group or mode of a unix socket cannot be set.',
  ERR_FD: 'The inherited descriptor is not a listening socket.',
  ERR_SYSTEMD: 'No such socket came from systemd: it started another process, or its .socket unit names others.',
  // the command line
  ERR_USAGE: 'The command line is wrong.',
  ERR_OPTION: 'An option has a value that is not allowed.',
  ERR_NOT_BUILT: 'A flag or command of the contract that this version does not have yet.',
  ERR_INTERNAL: 'A defect in postern itself: please report it.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The base of all errors that postern throws. `code` is stable; `message` is for people. */
export class PosternError extends Error {
  readonly code: ErrorCode;
  /** The limit that was hit, if it was one. */
  readonly limit: CountedLimit | undefined;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { limit?: CountedLimit }) {
    super(message, options);
    this.code = code;
    this.limit = options?.limit;
    this.name = new.target.name;
  }
}

/**
 * The peer broke a rule of the protocol.
 *
 * `scope` says what is lost: a `request` error is answered with `statusHint` on request `id`, and the connection takes
 * no further requests; a `connection` error means that framing is lost: nothing can be written, the connection closes.
 */
export class RemoteProtocolError extends PosternError {
  readonly scope: 'request' | 'connection';
  readonly statusHint: number;
  readonly id: number;
  constructor(
    code: ErrorCode,
    message: string,
    where: { scope?: 'request' | 'connection'; status?: number; id?: number; limit?: CountedLimit } = {},
  ) {
    super(code, message, { limit: where.limit });
    this.scope = where.scope ?? 'connection';
    this.statusHint = where.status ?? 400;
    this.id = where.id ?? 0;
  }
}

/** The caller on this side, the application or postern itself, asked for what the protocol does not allow. */
export class LocalProtocolError extends PosternError {}

/** The request was given up: the peer left, a clock ran out, or the server stops. The reason of every AbortSignal. */
export class AbortError extends PosternError {
  /** The status that is answered if no reply has begun; 0: nobody is there to be answered. */
  readonly statusHint: number;
  constructor(code: ErrorCode, message: string, statusHint = 0, options?: ErrorOptions) {
    super(code, message, options);
    this.statusHint = statusHint;
    this.name = 'AbortError';
  }
}

/** The configuration or the command is wrong; a command line ends with exit code 2. One line: what, where, what to do. */
export class ConfigError extends PosternError {}

/** Bytes from a peer, made safe for one line of a log: controls, DEL, C1, quotes and backslashes become \xNN. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f"\\]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** One line that tells an error's name, message, first place in the code, and its causes. Never throws. */
export function describeError(error: unknown): string {
  try {
    return oneLine(describeCauses(error, 4));
  } catch {
    return 'an error that cannot be told: its properties throw';
  }
}

/** Each line is looked at once: a message can hold what a client sent. */
function oneLine(text: string): string {
  if (!/[\r\n]/.test(text)) return text;
  const lines = text.split(/[\r\n]/).map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

function describeCauses(error: unknown, depth: number): string {
  if (!(error instanceof Error)) return String(error);
  const place = /^ +at (.*)$/m.exec(error.stack ?? '')?.[1];
  const cause = error.cause === undefined || depth === 0 ? '' : `; cause: ${describeCauses(error.cause, depth - 1)}`;
  return `${error.name}: ${error.message}${place ? ` at ${place}` : ''}${cause}`;
}
