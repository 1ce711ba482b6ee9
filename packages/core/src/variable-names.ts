import { EnvironClasses } from './environ-class.ts';
import { printable, RemoteProtocolError } from './errors.ts';
import type { ProfilePlan } from './profiles.ts';

/**
 * What follows from the names of one request's variables alone. Web servers send the same names in the same order, so
 * one of these is made for the first request and shared by those that follow; only the names are kept, never a value.
 */
export interface VariableNames {
  readonly names: readonly string[];
  readonly rules: Uint8Array;
  /** The HTTP field name of a header variable: 'user-agent' for HTTP_USER_AGENT, 'content-type' for CONTENT_TYPE. */
  readonly headers: readonly (string | undefined)[];
  /** Where the header variables stand. */
  readonly fields: readonly number[];
  /** A name stands in it more than once: the values must be merged before they are used. */
  readonly repeated: boolean;
  readonly method: number;
  readonly target: number;
  readonly protocol: number;
  readonly length: number;
  readonly type: number;
  readonly script: number;
  readonly path: number;
  readonly query: number;
  readonly https: number;
  readonly scheme: number;
  readonly chunked: number;
  readonly upgrade: number;
  readonly software: number;
  /** The classes of environs with these names, made when there are enough of them (see `environClass`). */
  readonly classes: EnvironClasses;
  /** Without repetitions, once `mergeRepeated` was asked for them. */
  merged: VariableNames | undefined;
  /** What the profile of a web server does to these names, once it was asked for (see `Profile`). */
  readonly plans: (ProfilePlan | undefined)[];
}

/** What is done with a variable: `plain` is kept as sent, `header` is a request header too, `drop` never reaches the app. */
export const Rule = { plain: 0, header: 1, drop: 2 } as const;

const LIBRARY_NAME = /^(?:gateway|wsgi|psgi|sgi|jsgi)\.|^psgix\.|^UWSGI_/;
const dropped = new Set([
  'HTTP_PROXY',
  'HTTP_CONTENT_LENGTH',
  'HTTP_CONTENT_TYPE',
  'HTTP_TRANSFER_ENCODING',
  '__proto__',
]);
/** Headers of the connection between the client and the web server (RFC 9110 §7.6.1, RFC 3875 §4.1.18). */
const ofConnection = new Set([
  'HTTP_CONNECTION',
  'HTTP_KEEP_ALIVE',
  'HTTP_PROXY_CONNECTION',
  'HTTP_TE',
  'HTTP_TRAILER',
]);

function ruleOf(name: string, upgrade: boolean): number {
  if (dropped.has(name) || LIBRARY_NAME.test(name)) return Rule.drop;
  // with Upgrade the connection itself is what the application is asked for
  if (ofConnection.has(name) && !(upgrade && name === 'HTTP_CONNECTION')) return Rule.drop;
  if (name.startsWith('HTTP_') || name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH') return Rule.header;
  return Rule.plain;
}

function headerOf(name: string): string {
  const field = name.startsWith('HTTP_') ? name.slice(5) : name;
  return field.toLowerCase().replaceAll('_', '-');
}

/** @throws RemoteProtocolError ERR_ENV_NAME (400): a name is empty or holds a control, space, '=', DEL or a high byte */
export function variableNames(names: string[]): VariableNames {
  const rules = new Uint8Array(names.length);
  const headers: (string | undefined)[] = new Array(names.length);
  const at: Record<string, number> = { __proto__: null as never };
  const upgrade = names.includes('HTTP_UPGRADE');
  let repeated = false;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (!/^[!-<>-~]+$/.test(name)) {
      throw new RemoteProtocolError('ERR_ENV_NAME', `variable name "${printable(name.slice(0, 80))}"`, {
        scope: 'request',
      });
    }
    rules[i] = ruleOf(name, upgrade);
    headers[i] = rules[i] === Rule.header ? headerOf(name) : undefined;
    if (at[name] !== undefined) repeated = true;
    at[name] = i;
  }
  return {
    names,
    rules,
    headers,
    fields: [...headers.keys()].filter((i) => rules[i] === Rule.header),
    repeated,
    method: at.REQUEST_METHOD ?? -1,
    target: at.REQUEST_URI ?? -1,
    protocol: at.SERVER_PROTOCOL ?? -1,
    length: at.CONTENT_LENGTH ?? -1,
    type: at.CONTENT_TYPE ?? -1,
    script: at.SCRIPT_NAME ?? -1,
    path: at.PATH_INFO ?? -1,
    query: at.QUERY_STRING ?? -1,
    https: at.HTTPS ?? -1,
    scheme: at.REQUEST_SCHEME ?? -1,
    chunked: at.HTTP_TRANSFER_ENCODING ?? -1,
    upgrade: at.HTTP_UPGRADE ?? -1,
    software: at.SERVER_SOFTWARE ?? -1,
    classes: new EnvironClasses(),
    merged: undefined,
    plans: [],
  };
}

const single = new Set(['CONTENT_LENGTH', 'REQUEST_METHOD', 'HTTP_AUTHORIZATION', 'HTTP_RANGE', 'HTTP_EXPECT']);

/**
 * One value a name. Repeated headers are joined (RFC 9110 §5.3; HTTP_COOKIE with "; "), of other repeated variables and
 * of HTTP_HOST the last wins: nginx's configuration repeats a name on purpose.
 * @throws RemoteProtocolError ERR_ENV_REPEATED (400): two values of a variable that must be single
 */
export function mergeRepeated(
  from: VariableNames,
  values: readonly string[],
): { names: VariableNames; values: string[] } {
  const merged = new Map<string, string>();
  for (let i = 0; i < from.names.length; i++) {
    const name = from.names[i];
    const value = values[i];
    const before = merged.get(name);
    if (before === undefined || before === value) merged.set(name, value);
    else if (single.has(name)) {
      throw new RemoteProtocolError('ERR_ENV_REPEATED', `${name} has two values`, { scope: 'request' });
    } else if (name.startsWith('HTTP_') && name !== 'HTTP_HOST') {
      merged.set(name, before + (name === 'HTTP_COOKIE' ? '; ' : ', ') + value);
    } else merged.set(name, value);
  }
  from.merged ??= variableNames([...merged.keys()]);
  return { names: from.merged, values: [...merged.values()] };
}
