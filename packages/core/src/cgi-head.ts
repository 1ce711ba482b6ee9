import { printable, RemoteProtocolError } from './errors.ts';
import type { RequestHead } from './head.ts';
import { encodePath } from './paths.ts';
import { mergeRepeated, Rule, type VariableNames } from './variable-names.ts';

function refuse(code: 'ERR_ENV_METHOD' | 'ERR_ENV_LENGTH' | 'ERR_ENV_PROTOCOL', message: string): never {
  throw new RemoteProtocolError(code, message, { scope: 'request' });
}

/** Methods that are seen all the time need no look at their characters. */
const commonMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/** REQUEST_METHOD as the application may rely on it. @throws RemoteProtocolError ERR_ENV_METHOD (400) */
export function checkMethod(method: string | undefined): string {
  if (method !== undefined && commonMethods.has(method)) return method;
  if (!method)
    refuse(
      'ERR_ENV_METHOD',
      'REQUEST_METHOD is missing: the web server must send the request variables (nginx: include fastcgi_params)',
    );
  if (method.length > 32 || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method))
    refuse('ERR_ENV_METHOD', `REQUEST_METHOD "${printable(method.slice(0, 40))}" is no token`);
  return method;
}

/**
 * CONTENT_LENGTH as a number; -1 where it is absent or empty.
 * @throws RemoteProtocolError ERR_ENV_LENGTH (400)
 */
export function checkContentLength(value: string | undefined): number {
  if (value === undefined || value === '') return -1;
  const length = Number(value);
  if (!/^[0-9]{1,20}$/.test(value) || !Number.isSafeInteger(length))
    refuse('ERR_ENV_LENGTH', `CONTENT_LENGTH "${printable(value.slice(0, 40))}" is no whole number`);
  return length;
}

/** SERVER_PROTOCOL, HTTP/1.1 where it is absent. @throws RemoteProtocolError ERR_ENV_PROTOCOL (400) */
export function checkProtocol(value: string | undefined): string {
  if (value === undefined || value === '' || value === 'HTTP/1.1') return 'HTTP/1.1';
  if (!/^HTTP\/[0-9](?:\.[0-9])?$/.test(value))
    refuse('ERR_ENV_PROTOCOL', `SERVER_PROTOCOL "${printable(value.slice(0, 40))}"`);
  return value;
}

/** @throws RemoteProtocolError ERR_ENV_VALUE (400): NUL anywhere, CR or LF in a header */
function checkValues({ names, rules }: VariableNames, values: readonly string[]): void {
  for (let i = 0; i < values.length; i++) {
    const found = FORBIDDEN.exec(values[i]);
    if (found !== null && (rules[i] === Rule.header || values[i].includes('\0'))) {
      throw new RemoteProtocolError('ERR_ENV_VALUE', `the value of ${names[i]} holds ${printable(found[0])}`, {
        scope: 'request',
      });
    }
  }
}

const FORBIDDEN = /[\0\r\n]/;

/** The head of a request that came as CGI variables: FastCGI, SCGI, uwsgi, CGI (RFC 3875 §4.1). */
export class CgiHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly contentLength: number;
  /** A body may come although no length is stated: the protocol tells where it ends, if it can. */
  readonly openLength: boolean;
  readonly #names: VariableNames;
  readonly #values: readonly string[];

  /**
   * @param names the names in wire order
   * @param values the values in the same order, bytes as latin-1
   * @throws RemoteProtocolError with status 400: see `checkMethod`, `checkContentLength`, `checkProtocol`, `mergeRepeated`
   */
  constructor(names: VariableNames, values: readonly string[]) {
    if (names.repeated) ({ names, values } = mergeRepeated(names, values));
    checkValues(names, values);
    this.method = checkMethod(names.method < 0 ? undefined : values[names.method]);
    let length = names.length < 0 ? undefined : values[names.length];
    if (length === '-1' && fromCaddy(names, values)) length = undefined;
    this.contentLength = checkContentLength(length);
    this.protocol = checkProtocol(names.protocol < 0 ? undefined : values[names.protocol]);
    this.scheme = isHttps(names.https < 0 ? '' : values[names.https], names.scheme < 0 ? '' : values[names.scheme]);
    this.#names = names;
    this.#values = values;
    this.openLength =
      this.contentLength < 0 && (names.chunked >= 0 || (this.method !== 'GET' && this.method !== 'HEAD'));
    this.target = (names.target < 0 ? '' : values[names.target]) || this.#rebuildTarget();
  }

  /** Without REQUEST_URI the target is put together from its decoded parts (RFC 3875 §3.3). */
  #rebuildTarget(): string {
    const value = (name: string): string => this.#values[this.#names.names.lastIndexOf(name)] ?? '';
    const query = value('QUERY_STRING');
    return (encodePath(value('SCRIPT_NAME') + value('PATH_INFO')) || '/') + (query ? `?${query}` : '');
  }

  variables(): string[] {
    const { names, rules, length } = this.#names;
    const flat: string[] = [];
    for (let i = 0; i < names.length; i++) {
      if (rules[i] === Rule.drop) continue;
      if (rules[i] === Rule.header && isEmptyContent(names[i], this.#values[i])) continue;
      if (i === length && this.contentLength < 0) continue;
      flat.push(names[i], this.#values[i]);
    }
    return flat;
  }

  headers(): string[] {
    const { names, headers, rules, length } = this.#names;
    const flat: string[] = [];
    for (let i = 0; i < names.length; i++) {
      if (rules[i] !== Rule.header || isEmptyContent(names[i], this.#values[i])) continue;
      if (i === length && this.contentLength < 0) continue;
      flat.push(headers[i] as string, this.#values[i]);
    }
    return flat;
  }
}

/** nginx sends CONTENT_TYPE and CONTENT_LENGTH empty where the client sent none. */
function isEmptyContent(name: string, value: string): boolean {
  return value === '' && (name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH');
}

/** Caddy 2 sends CONTENT_LENGTH=-1 for each upload of unknown length. */
function fromCaddy(names: VariableNames, values: readonly string[]): boolean {
  const at = names.names.indexOf('SERVER_SOFTWARE');
  return at >= 0 && values[at].startsWith('Caddy/');
}

function isHttps(https: string, scheme: string): 'http' | 'https' {
  if (https === '' && (scheme === 'http' || scheme === '')) return 'http';
  return /^(?:on|1|https)$/i.test(https) || scheme.toLowerCase() === 'https' ? 'https' : 'http';
}
