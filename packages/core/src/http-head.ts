import { isBodyStated } from './cgi-head.ts';
import { lineVariables, type RequestHead } from './head.ts';
import { ownText } from './own-text.ts';

/** The head of a request of HTTP. */
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
    const flat = ['REQUEST_METHOD', this.method, ...lineVariables(this), ...this.#connection];
    if (this.scheme === 'https') flat.push('HTTPS', 'on');
    addFields(flat, this.#headers);
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

/** A header field by its name. */
interface Field {
  /** Its meta-variable; undefined: it has none. */
  readonly variable: string | undefined;
  /** The latest head that it was seen in, and where its value went. */
  head: number;
  place: number;
}

/** Clients send the same fields again and again. Names are kept, never a value. */
const fields = new Map<string, Field>();
const MOST_FIELDS = 1024;
let heads = 0;

/** The variables of header fields; what comes several times is joined (RFC 9110 §5.3). */
function addFields(flat: string[], headers: readonly string[]): void {
  const head = ++heads;
  if (fields.size > MOST_FIELDS) fields.clear();
  for (let i = 0; i < headers.length; i += 2) {
    const field = fields.get(headers[i]) ?? fieldOf(headers[i]);
    const { variable } = field;
    const value = headers[i + 1];
    if (variable === undefined) continue;
    if (value === '' && (variable === 'CONTENT_TYPE' || variable === 'CONTENT_LENGTH')) continue;
    if (field.head === head) flat[field.place] += (variable === 'HTTP_COOKIE' ? '; ' : ', ') + value;
    else {
      field.head = head;
      field.place = flat.length + 1;
      flat.push(variable, value);
    }
  }
}

/** One for all ways to write a name. */
function fieldOf(sent: string): Field {
  const name = ownText(sent);
  const lower = name.toLowerCase();
  const field = fields.get(lower) ?? { variable: variableOf(lower), head: 0, place: 0 };
  fields.set(lower, field);
  fields.set(name, field);
  return field;
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
