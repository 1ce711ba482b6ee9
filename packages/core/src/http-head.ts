import { isBodyStated } from './cgi-head.ts';
import type { RequestHead } from './head.ts';
import { targetQuery } from './paths.ts';

/** The head of a request whose wire carries header fields: AJP, HTTP. */
export class HttpHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly contentLength: number;
  readonly #headers: string[];
  readonly #connection: readonly string[];

  /**
   * @param head the request line and what was found out about the body
   * @param headers flat [name, value, …]
   * @param connection flat CGI [name, value, …] of what the web server vouches for: REMOTE_ADDR, SERVER_NAME, SSL_* …
   */
  constructor(
    head: { method: string; target: string; protocol: string; scheme: 'http' | 'https'; contentLength: number },
    headers: string[],
    connection: readonly string[],
  ) {
    this.method = head.method;
    this.target = head.target;
    this.protocol = head.protocol;
    this.scheme = head.scheme;
    this.contentLength = head.contentLength;
    this.#headers = head.contentLength === 0 && !isBodyStated(head.method) ? withoutLength(headers) : headers;
    this.#connection = connection;
  }

  headers(): string[] {
    return this.#headers;
  }

  variables(): string[] {
    const flat = [
      'REQUEST_METHOD',
      this.method,
      'REQUEST_URI',
      this.target,
      'QUERY_STRING',
      targetQuery(this.target),
      'SERVER_PROTOCOL',
      this.protocol,
      'REQUEST_SCHEME',
      this.scheme,
      'GATEWAY_INTERFACE',
      'CGI/1.1',
      ...this.#connection,
    ];
    if (this.scheme === 'https') flat.push('HTTPS', 'on');
    const joined = new Map<string, string>();
    for (let i = 0; i < this.#headers.length; i += 2) {
      const name = variableOf(this.#headers[i]);
      if (name === undefined) continue;
      const before = joined.get(name);
      const value = this.#headers[i + 1];
      if (value === '' && (name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH')) continue;
      joined.set(name, before === undefined ? value : before + (name === 'HTTP_COOKIE' ? '; ' : ', ') + value);
    }
    for (const [name, value] of joined) flat.push(name, value);
    return flat;
  }
}

/** Some web servers state a length of 0 with each request that has no body, others none. */
function withoutLength(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i].toLowerCase() !== 'content-length') kept.push(headers[i], headers[i + 1]);
  return kept;
}

/**
 * The meta-variable of a header field (RFC 3875 §4.1.18). A name with an underscore has none: it could not be told from
 * the one with a hyphen. Neither have Proxy (httpoxy), and what frames the message.
 */
function variableOf(field: string): string | undefined {
  if (field.includes('_')) return undefined;
  const name = field.toUpperCase().replaceAll('-', '_');
  if (name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH') return name;
  if (name === 'PROXY' || name === 'TRANSFER_ENCODING') return undefined;
  return `HTTP_${name}`;
}
