import type { Allowance, Chunk } from './application.ts';
import type { Environ } from './environ.ts';
import { LocalProtocolError, printable } from './errors.ts';
import type { BodyWriter, ErrorSink, Exchange, Role } from './exchange.ts';
import type { RequestHead } from './head.ts';
import { isFieldValue, isToken } from './headers.ts';
import type { RequestBody } from './request-body.ts';
import { isThenable } from './send-body.ts';
import type { Tunnel } from './tunnel.ts';

const PREFIX = 'Variable-';
/** Bytes of a line without its end. Of a longer one mod_authnz_fcgi takes the rest for a body, and shows it to the client. */
const MAX_LINE = 8189;
/** What is behind could not tell it from a header of the client's, which may come first, or be joined with it. */
const CLIENT_HEADER = /^http[-_]/i;

function refuse(message: string): never {
  throw new LocalProtocolError('ERR_AUTHORIZER', message);
}

/**
 * The exchange of an authorizer. To a web server any 200 is an allow, so none leaves here that was not meant as one;
 * every other reply is what the client gets.
 */
export class AuthorizerExchange implements Exchange {
  readonly #exchange: Exchange;
  readonly #raw: boolean;
  #permitted = false;

  /** @param raw a 200 with `Variable-` headers is an allow too */
  constructor(exchange: Exchange, raw = false) {
    this.#exchange = exchange;
    this.#raw = raw;
  }

  get id(): number {
    return this.#exchange.id;
  }

  get protocol(): string {
    return this.#exchange.protocol;
  }

  get role(): Role {
    return this.#exchange.role;
  }

  get head(): RequestHead {
    return this.#exchange.head;
  }

  get environ(): Environ {
    return this.#exchange.environ;
  }

  get input(): RequestBody {
    return this.#exchange.input;
  }

  get inputComplete(): boolean {
    return this.#exchange.inputComplete;
  }

  get errors(): ErrorSink {
    return this.#exchange.errors;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  get over(): boolean {
    return this.#exchange.over;
  }

  get started(): boolean {
    return this.#exchange.started;
  }

  onOver(listener: (error: Error | undefined) => void): void {
    this.#exchange.onOver(listener);
  }

  /**
   * Lets the request through.
   * @throws LocalProtocolError ERR_AUTHORIZER: a variable cannot be sent; as `Exchange.respond`
   */
  allow(variables: Allowance['allow']): void {
    this.#exchange.respond(200, 'OK', variableHeaders(variables), null);
  }

  /** The 200 that follows is meant as an allow, also without variables. */
  permit(): void {
    this.#permitted = true;
  }

  /** @throws LocalProtocolError ERR_AUTHORIZER: a success that is no allow; as `Exchange.respond` */
  respond(status: number, reason: string, headers: string[], body: Chunk | null): void {
    if (isSuccess(status)) this.allow(this.#variablesOf(status, headers));
    else this.#exchange.respond(status, reason, headers, body);
  }

  #variablesOf(status: number, headers: readonly string[]): Record<string, string> {
    const found = new Map<string, string>();
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i];
      if (name.length > PREFIX.length && name.slice(0, PREFIX.length).toLowerCase() === 'variable-')
        found.set(name.slice(PREFIX.length), headers[i + 1]);
    }
    if (status === 200 && (this.#permitted || (this.#raw && found.size > 0))) return Object.fromEntries(found);
    const allows = this.#raw ? 'allow(res, variables)' : 'the answer { allow }';
    refuse(`an authorizer answered ${status}, which is no allow and no denial: ${allows} lets a request through`);
  }

  /** @throws LocalProtocolError ERR_AUTHORIZER: a success; as `Exchange.start` */
  start(status: number, reason: string, headers: string[]): BodyWriter {
    if (isSuccess(status))
      refuse(`an authorizer began a reply with status ${status}: an allow is one answer without a body`);
    return this.#exchange.start(status, reason, headers);
  }

  inform(status: number, headers: string[]): boolean {
    return this.#exchange.inform(status, headers);
  }

  get upgradable(): boolean {
    return this.#exchange.upgradable;
  }

  upgrade(status: number, headers: string[], tunnel?: Tunnel): Tunnel | undefined {
    return this.#exchange.upgrade(status, headers, tunnel);
  }

  fail(error: unknown): void {
    this.#exchange.fail(error);
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/**
 * The headers of an allow (FastCGI 1.0 §6.3): flat [name, value, …].
 * @throws LocalProtocolError ERR_AUTHORIZER: they are no plain object; a name is no token, or that of a request header; a
 *   value is no text that a header may hold; they are too long
 */
export function variableHeaders(variables: Allowance['allow']): string[] {
  checkVariables(variables);
  const headers: string[] = [];
  for (const name of Object.keys(variables)) {
    const value: unknown = variables[name];
    if (!isToken(name)) refuse(`the name of variable "${printable(name)}" is no token`);
    if (CLIENT_HEADER.test(name))
      refuse(`variable ${name} could be taken for a header that the client sent: give it a name without HTTP_`);
    if (typeof value !== 'string' || !isFieldValue(value))
      refuse(`the value of variable ${name} (${typeof value}) holds what may not be sent`);
    const length = PREFIX.length + name.length + ': '.length + value.length;
    if (length > MAX_LINE) refuse(`variable ${name.slice(0, 40)} has ${length} bytes with its name, not ${MAX_LINE}`);
    headers.push(PREFIX + name, value);
  }
  return headers;
}

/** What has no variables of its own, such as a promise that nobody awaited, must not pass for an allow without any. */
function checkVariables(variables: unknown): void {
  if (isThenable(variables)) {
    // that it may be rejected too must not end the process
    variables.then(undefined, () => {});
    refuse('allow must be an object of variables, not a promise: await it');
  }
  if (isPlain(variables)) return;
  const what = typeof variables === 'object' ? printable(kindOf(variables)) : typeof variables;
  refuse(`allow must be a plain object of variables, not ${what}: allow: {}`);
}

/** Also of another realm, which has an Object of its own. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: object | null): string {
  if (value === null) return 'null';
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? name : 'one that inherits';
}
