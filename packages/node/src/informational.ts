import { type Exchange, LocalProtocolError } from '@postern/core';
import { exchangeOf } from './environ-of.ts';
import type { Callback, Outgoing } from './internals.ts';
import { nodeError } from './node-error.ts';
import { flattenHeaders } from './reply-headers.ts';

/**
 * The 1xx methods of ServerResponse. Node's own write HTTP text to the socket; these go by `Exchange.inform`. Where the
 * protocol cannot carry them nothing is sent, which is no error: a 1xx reply is a courtesy.
 */
export interface InformationalHooks {
  writeContinue(this: Outgoing, callback?: Callback): void;
  writeProcessing(this: Outgoing, callback?: Callback): void;
  writeEarlyHints(this: Outgoing, hints: Record<string, string | string[]>, callback?: Callback): void;
  writeInformation(this: Outgoing, status: number, headers?: unknown, callback?: Callback): boolean;
}

export function writeContinue(this: Outgoing, callback?: Callback): void {
  inform(this, 100, [], callback);
  this._sent100 = true;
}

export function writeProcessing(this: Outgoing, callback?: Callback): void {
  inform(this, 102, [], callback);
}

/** @throws TypeError the hints are no object, or hold what may not stand in a header */
export function writeEarlyHints(this: Outgoing, hints: Record<string, string | string[]>, callback?: Callback): void {
  if (hints === null || typeof hints !== 'object' || Array.isArray(hints)) {
    throw nodeError(new TypeError('The "hints" argument must be of type object'), 'ERR_INVALID_ARG_TYPE');
  }
  const { link } = hints;
  if (link === undefined || link === null || link.length === 0) return;
  inform(this, 103, flattenHeaders(this, { ...hints, link: Array.isArray(link) ? link.join(', ') : link }), callback);
}

/** @throws RangeError ERR_HTTP_INVALID_STATUS_CODE: 101, or no 1xx */
export function writeInformation(this: Outgoing, status: number, headers?: unknown, callback?: Callback): boolean {
  if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
    throw nodeError(new RangeError(`Invalid status code: ${status}`), 'ERR_HTTP_INVALID_STATUS_CODE');
  }
  return inform(this, status, flattenHeaders(this, headers), callback);
}

function inform(res: Outgoing, status: number, headers: string[], callback: Callback | undefined): boolean {
  const exchange: Exchange = exchangeOf(res);
  const sent = res._header === null && !exchange.over && exchange.inform(status, headers);
  if (typeof callback === 'function') process.nextTick(callback);
  return sent;
}

/**
 * writeHead with a 1xx status would make a final reply of it.
 * @throws LocalProtocolError ERR_STATUS
 */
export function refuseInformationalHead(res: Outgoing): void {
  const { statusCode } = res;
  // writeHead has noted both already; the reply that tells of the error shall have neither this phrase nor no body
  res.statusMessage = undefined as unknown as string;
  res._hasBody = res.req.method !== 'HEAD';
  const way = statusCode === 101 ? 'protocols cannot be switched here' : 'writeInformation() sends a 1xx';
  throw new LocalProtocolError('ERR_STATUS', `${statusCode} is not the status of a reply: ${way}`);
}
