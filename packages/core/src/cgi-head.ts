import { checkValues } from './cgi-values.ts';
import { printable, RemoteProtocolError } from './errors.ts';
import type { RequestHead } from './head.ts';
import { encodePath } from './paths.ts';
import { type Profile, profileOf, profileOfSoftware } from './profiles.ts';
import { mergeRepeated, Rule, type VariableNames, variableNames } from './variable-names.ts';

function refuse(code: 'ERR_ENV_METHOD' | 'ERR_ENV_LENGTH' | 'ERR_ENV_PROTOCOL', message: string): never {
  throw new RemoteProtocolError(code, message, { scope: 'request' });
}

/** Methods that are seen all the time need no look at their characters; the two first not even a hash. */
const commonMethods = new Set(['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

/** REQUEST_METHOD as the application may rely on it. @throws RemoteProtocolError ERR_ENV_METHOD (400) */
export function checkMethod(method: string | undefined): string {
  if (method === 'GET' || method === 'POST') return method;
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
 * CONTENT_LENGTH, or another length, as a number; -1 where it is absent or empty.
 * @throws RemoteProtocolError ERR_ENV_LENGTH (400)
 */
export function checkContentLength(value: string | undefined, name = 'CONTENT_LENGTH'): number {
  if (value === undefined || value === '') return -1;
  const length = Number(value);
  if (!/^[0-9]{1,20}$/.test(value) || !Number.isSafeInteger(length))
    refuse('ERR_ENV_LENGTH', `${name} "${printable(value.slice(0, 40))}" is no whole number`);
  return length;
}

/**
 * Whether a length of 0 says something: these methods have no body, and clients state none (RFC 9110 §8.6). What a web
 * server adds there is not passed on.
 */
export function isBodyStated(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'DELETE' && method !== 'OPTIONS';
}

/** SERVER_PROTOCOL, HTTP/1.1 where it is absent. @throws RemoteProtocolError ERR_ENV_PROTOCOL (400) */
export function checkProtocol(value: string | undefined): string {
  if (value === undefined || value === '' || value === 'HTTP/1.1') return 'HTTP/1.1';
  if (!/^HTTP\/[0-9](?:\.[0-9])?$/.test(value))
    refuse('ERR_ENV_PROTOCOL', `SERVER_PROTOCOL "${printable(value.slice(0, 40))}"`);
  return value;
}

/** The head of a request that came as CGI variables: FastCGI, SCGI, uwsgi, CGI (RFC 3875 §4.1). */
export class CgiHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly contentLength: number;
  /** A body may come although no length is stated: the protocol tells where it ends, if it can. */
  readonly openLength: boolean;
  readonly names: VariableNames;
  /** In the order of the names. */
  readonly values: readonly string[];

  /**
   * The head of variables that no `VariableReader` has read.
   * @param variables flat [name, value, …], bytes as latin-1
   * @throws as the constructor; ERR_ENV_NAME, ERR_ENV_VALUE (400)
   */
  static of(variables: readonly string[]): CgiHead {
    const names = variableNames(variables.filter((_, i) => i % 2 === 0));
    const values = variables.filter((_, i) => i % 2 === 1);
    checkValues(names, values);
    return new CgiHead(names, values);
  }

  /**
   * @param names the names in wire order
   * @param values the values in the same order, bytes as latin-1, looked through by `VariableReader`
   * @param bodyless no body comes, whatever the variables say of one
   * @param peer the web server, where the address names it: its profile is applied. Without it SERVER_SOFTWARE tells
   * @throws RemoteProtocolError with status 400: see `checkMethod`, `checkContentLength`, `checkProtocol`, `mergeRepeated`
   */
  constructor(names: VariableNames, values: readonly string[], bodyless = false, peer?: string) {
    if (names.repeated) ({ names, values } = mergeRepeated(names, values));
    const profiled = applyProfile(names, values, peer);
    if (profiled !== undefined) ({ names, values } = profiled);
    this.method = checkMethod(names.method < 0 ? undefined : values[names.method]);
    const stated = checkContentLength(names.length < 0 ? undefined : values[names.length]);
    this.contentLength = bodyless ? -1 : stated;
    this.protocol = checkProtocol(names.protocol < 0 ? undefined : values[names.protocol]);
    this.scheme = isHttps(names.https < 0 ? '' : values[names.https], names.scheme < 0 ? '' : values[names.scheme]);
    this.names = names;
    this.values = values;
    this.openLength =
      !bodyless && this.contentLength < 0 && (names.chunked >= 0 || (this.method !== 'GET' && this.method !== 'HEAD'));
    this.target = (names.target < 0 ? '' : values[names.target]) || this.#rebuildTarget();
  }

  /** Without REQUEST_URI the target is put together from its decoded parts (RFC 3875 §3.3). */
  #rebuildTarget(): string {
    const value = (name: string): string => this.values[this.names.names.lastIndexOf(name)] ?? '';
    const query = value('QUERY_STRING');
    return (encodePath(value('SCRIPT_NAME') + value('PATH_INFO')) || '/') + (query ? `?${query}` : '');
  }

  variables(): string[] {
    const { names, rules } = this.names;
    const flat: string[] = [];
    for (let i = 0; i < names.length; i++) {
      if (rules[i] !== Rule.drop && !this.#isLeftOut(i)) flat.push(names[i], this.values[i]);
    }
    return flat;
  }

  headers(): string[] {
    const { headers, fields } = this.names;
    const flat: string[] = [];
    for (const i of fields) if (!this.#isLeftOut(i)) flat.push(headers[i] as string, this.values[i]);
    return flat;
  }

  /** SERVER_SOFTWARE; '' where it did not come. */
  get software(): string {
    const { software } = this.names;
    return software < 0 ? '' : this.values[software];
  }

  /** nginx sends CONTENT_TYPE and CONTENT_LENGTH empty where the client sent none. */
  get hasType(): boolean {
    const { type } = this.names;
    return type >= 0 && this.values[type] !== '';
  }

  /** Some web servers send CONTENT_LENGTH=0 with each request that has no body, others none (see `isBodyStated`). */
  get hasLength(): boolean {
    return this.contentLength > 0 || (this.contentLength === 0 && isBodyStated(this.method));
  }

  #isLeftOut(i: number): boolean {
    const { length, type } = this.names;
    return (i === length && !this.hasLength) || (i === type && this.values[i] === '');
  }
}

function applyProfile(
  names: VariableNames,
  values: readonly string[],
  peer: string | undefined,
): ReturnType<Profile['apply']> {
  if (peer !== undefined) return profileOf(peer)?.apply(names, values);
  return names.software < 0 ? undefined : profileOfSoftware(values[names.software])?.apply(names, values);
}

function isHttps(https: string, scheme: string): 'http' | 'https' {
  if (https === '' && (scheme === 'http' || scheme === '')) return 'http';
  return /^(?:on|1|https)$/i.test(https) || scheme.toLowerCase() === 'https' ? 'https' : 'http';
}
