import type { Duplex } from 'node:stream';
import type { Reply } from './application.ts';
import { GATEWAY_INTERFACE } from './environ-class.ts';
import type { ErrorSink, Exchange, Role } from './exchange.ts';
import type { NamedHead, RequestHead } from './head.ts';
import { NameTree } from './name-tree.ts';
import { NameWalk } from './name-walk.ts';
import { splitPath, targetQuery } from './paths.ts';
import { flattenHeaders } from './reply.ts';
import type { RequestBody } from './request-body.ts';
import { Tunnel } from './tunnel.ts';
import { Rule, type VariableNames } from './variable-names.ts';

/** RFC 3875 §4.1 and what web servers add. Every string holds bytes as latin-1, as PEP 3333 has it. */
export interface CgiVariables {
  REQUEST_METHOD: string;
  /** The part of the decoded path that belongs to where the application is mounted; '' at the root, never '/'. */
  SCRIPT_NAME: string;
  /** The rest of the decoded path. */
  PATH_INFO: string;
  QUERY_STRING: string;
  /** The raw target, undecoded, with its query. */
  REQUEST_URI: string;
  SERVER_PROTOCOL: string;
  REQUEST_SCHEME: 'http' | 'https';
  GATEWAY_INTERFACE: string;
  SERVER_NAME?: string;
  SERVER_PORT?: string;
  SERVER_ADDR?: string;
  SERVER_SOFTWARE?: string;
  REMOTE_ADDR?: string;
  REMOTE_PORT?: string;
  REMOTE_USER?: string;
  AUTH_TYPE?: string;
  HTTPS?: string;
  /** Absent where it is empty, or of unknown length. */
  CONTENT_LENGTH?: string;
  CONTENT_TYPE?: string;
}

/** What the gateway itself tells. These live on the prototype: they are no keys of an environ, and no wire name can be one. */
export interface GatewayVariables {
  /** The version of this contract. */
  readonly 'gateway.version': readonly [1, 0];
  /** fastcgi, scgi, ajp … */
  readonly 'gateway.protocol': string;
  readonly 'gateway.role': Role;
  readonly 'gateway.url_scheme': 'http' | 'https';
  readonly 'gateway.input': RequestBody;
  /** The file that a filter works on; undefined in any other role. */
  readonly 'gateway.data': RequestBody | undefined;
  readonly 'gateway.errors': ErrorSink;
  /**
   * Answers 101 and gives the raw bytes both ways; the application returns nothing then. undefined: the request does not ask
   * for an upgrade, or it cannot be had here. It throws LocalProtocolError for headers that cannot be sent.
   */
  readonly 'gateway.upgrade': ((headers?: Reply['headers']) => Duplex) | undefined;
  readonly 'gateway.signal': AbortSignal;
  /**
   * Sends 103 with these headers, `Link` above all, in front of the reply. False: what is in front does not pass it on,
   * or the reply has begun. @throws LocalProtocolError as `Exchange.respond`
   */
  readonly 'gateway.early_hints': (headers: Reply['headers']) => boolean;
  readonly 'gateway.multithread': false;
  readonly 'gateway.multiprocess': boolean;
  readonly 'gateway.run_once': boolean;
}

export type Environ = CgiVariables & GatewayVariables & { [extra: string]: unknown };

const VERSION = Object.freeze([1, 0] as const);

/** An object of this class keeps a fast shape, and has no prototype that a wire name could reach. */
class EnvironRecord implements GatewayVariables {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get 'gateway.version'(): readonly [1, 0] {
    return VERSION;
  }

  get 'gateway.protocol'(): string {
    return this.#exchange.protocol;
  }

  get 'gateway.role'(): Role {
    return this.#exchange.role;
  }

  get 'gateway.url_scheme'(): 'http' | 'https' {
    return this.#exchange.head.scheme;
  }

  get 'gateway.input'(): RequestBody {
    return this.#exchange.input;
  }

  get 'gateway.data'(): RequestBody | undefined {
    return this.#exchange.data;
  }

  get 'gateway.errors'(): ErrorSink {
    return this.#exchange.errors;
  }

  get 'gateway.upgrade'(): ((headers?: Reply['headers']) => Duplex) | undefined {
    const exchange = this.#exchange;
    return exchange.upgradable ? (headers) => upgradeWith(exchange, headers) : undefined;
  }

  get 'gateway.signal'(): AbortSignal {
    return this.#exchange.signal;
  }

  get 'gateway.early_hints'(): (headers: Reply['headers']) => boolean {
    const exchange = this.#exchange;
    return function earlyHints(headers) {
      return exchange.inform(103, flattenHeaders(headers));
    };
  }

  get 'gateway.multithread'(): false {
    return false;
  }

  get 'gateway.multiprocess'(): boolean {
    return false;
  }

  get 'gateway.run_once'(): boolean {
    return this.#exchange.protocol === 'cgi';
  }
}

/** A client that has left meanwhile is met as one that leaves later: by a socket that closes. */
function upgradeWith(exchange: Exchange, headers: Reply['headers']): Duplex {
  const tunnel = new Tunnel();
  return exchange.upgrade(101, flattenHeaders(headers), tunnel) ?? tunnel.destroy();
}

Reflect.deleteProperty(EnvironRecord.prototype, 'constructor');
Object.setPrototypeOf(EnvironRecord.prototype, null);
Object.freeze(EnvironRecord.prototype);

/**
 * The environ of an exchange: its variables, with SCRIPT_NAME, PATH_INFO and QUERY_STRING repaired (see `splitPath`).
 * Nothing of `process.env` is in it.
 * @param mount the prefix under which the application is mounted, without a slash at its end
 */
export function buildEnviron(exchange: Exchange, mount?: string): Environ {
  const { head } = exchange;
  if (isNamed(head)) {
    const { names, values } = head;
    const way = (head.hasLength ? 0 : 1) + (head.hasType ? 0 : 2);
    const environ = environOf(exchange, names, values, way, mount);
    if (environ !== undefined) return environ;
    if (names.classes.isDue(way)) names.classes.make(way, EnvironRecord, keptNames(names, way));
    return fill(exchange, head.variables(), mount);
  }
  const variables = head.variables();
  const { names, values } = namesAndValues(variables);
  const environ = environOf(exchange, names, values, 0, mount);
  if (environ !== undefined) return environ;
  if (names.classes.isDue(0))
    names.classes.make(
      0,
      EnvironRecord,
      names.names.map((name, place) => [name, place]),
    );
  return fill(exchange, variables, mount);
}

/** Where a name is repeated the values have to be joined first. */
function isNamed(head: RequestHead): head is NamedHead {
  return (head as Partial<NamedHead>).names?.repeated === false;
}

/** The names of requests whose head has no `names` of its own, or repeats one. */
const walk = new NameWalk(new NameTree());

function namesAndValues(variables: readonly string[]): { names: VariableNames; values: string[] } {
  const values = new Array<string>(variables.length >> 1);
  walk.begin();
  for (let i = 0; i < values.length; i++) {
    walk.add(i, variables[2 * i]);
    values[i] = variables[2 * i + 1];
  }
  return { names: walk.end(values.length).names, values };
}

/** By the class for its names; undefined: there is none yet. */
function environOf(
  exchange: Exchange,
  { classes, script, path, query }: VariableNames,
  values: readonly string[],
  way: number,
  mount: string | undefined,
): Environ | undefined {
  const Class = classes.get(way);
  if (Class === undefined) return undefined;
  const { target, protocol, scheme } = exchange.head;
  const { scriptName, pathInfo } = splitPath(
    script < 0 ? undefined : values[script],
    path < 0 ? undefined : values[path],
    target,
    mount,
  );
  const queryString = query < 0 ? targetQuery(target) : values[query];
  return new Class(exchange, values, scriptName, pathInfo, queryString, target, protocol, scheme) as unknown as Environ;
}

/** The names that `CgiHead.variables` has for requests of this kind. */
function keptNames({ names, rules, length, type }: VariableNames, way: number): [name: string, place: number][] {
  const kept: [string, number][] = [];
  for (let i = 0; i < names.length; i++) {
    const leftOut = (i === length && (way & 1) !== 0) || (i === type && (way & 2) !== 0);
    if (rules[i] !== Rule.drop && !leftOut) kept.push([names[i], i]);
  }
  return kept;
}

function fill(exchange: Exchange, variables: readonly string[], mount: string | undefined): Environ {
  const { head } = exchange;
  const environ = new EnvironRecord(exchange) as unknown as Record<string, string>;
  for (let i = 0; i < variables.length; i += 2) environ[variables[i]] = variables[i + 1];
  const { scriptName, pathInfo } = splitPath(environ.SCRIPT_NAME, environ.PATH_INFO, head.target, mount);
  environ.SCRIPT_NAME = scriptName;
  environ.PATH_INFO = pathInfo;
  if (environ.QUERY_STRING === undefined) environ.QUERY_STRING = targetQuery(head.target);
  environ.REQUEST_URI = head.target;
  environ.SERVER_PROTOCOL = head.protocol;
  environ.REQUEST_SCHEME = head.scheme;
  if (environ.GATEWAY_INTERFACE === undefined) environ.GATEWAY_INTERFACE = GATEWAY_INTERFACE;
  return environ as unknown as Environ;
}
