import { targetQuery } from './paths.ts';
import type { VariableNames } from './variable-names.ts';

/** A request before its body, in two views: the one is native to the wire, the other is derived when it is asked for. */
export interface RequestHead {
  readonly method: string;
  /** The request target as the client sent it: REQUEST_URI, else SCRIPT_NAME + PATH_INFO [+ '?' + QUERY_STRING], encoded. */
  readonly target: string;
  /** SERVER_PROTOCOL: HTTP/1.0, HTTP/1.1, HTTP/2.0 … as the client spoke to the web server. */
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  /** In bytes; -1: not stated, the body ends where the protocol says so. */
  readonly contentLength: number;
  /** Flat CGI [name, value, …]. Values hold bytes as latin-1. Names are unique. */
  variables(): string[];
  /** Flat HTTP [name, value, …], names in lower case. Values hold bytes as latin-1. */
  headers(): string[];
}

/** A head whose variables came one by one, with names that requests have in common: an environ is made of them at once. */
export interface NamedHead extends RequestHead {
  readonly names: VariableNames;
  /** In the order of the names. */
  readonly values: readonly string[];
  /** CONTENT_LENGTH, where it came, is a variable of this request. */
  readonly hasLength: boolean;
  /** The same of CONTENT_TYPE. */
  readonly hasType: boolean;
}

/** What every head says in variables, beside its own: flat [name, value, …]. */
export function lineVariables({ target, protocol, scheme }: Omit<RequestHead, 'variables' | 'headers'>): string[] {
  return [
    'REQUEST_URI',
    target,
    'QUERY_STRING',
    targetQuery(target),
    'SERVER_PROTOCOL',
    protocol,
    'REQUEST_SCHEME',
    scheme,
    'GATEWAY_INTERFACE',
    'CGI/1.1',
  ];
}
