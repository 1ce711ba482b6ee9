/**
 * What this package relies on in node:http beyond its documentation, in one place, tried once on the running Node.
 *
 * `ServerResponse` renders its head in `_storeHeader`, hands every byte to `_send`, and tells its end by `_finish`. The
 * three are replaced by own properties of each response: frameworks swap the prototype (Express does), so an override
 * in a subclass would be passed by. `IncomingMessage` takes a flat header array by reference in `_addHeaderLines`, builds
 * `headers` from it when they are asked for, and asks its socket for bytes by `resume()`.
 */
import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PosternError } from '@postern/core';

export type Callback = (error?: Error | null) => void;

export interface Incoming extends IncomingMessage {
  _consuming: boolean;
  _dumped: boolean;
  _readableState: {
    resumeScheduled: boolean;
    ended: boolean;
    endEmitted: boolean;
    destroyed: boolean;
    closed: boolean;
    closeEmitted: boolean;
  };
  /** Keeps the array; `count` is its length. */
  _addHeaderLines(flat: string[], count: number): void;
  /** Throws the rest of the body away, then ends and closes. */
  _dump(): void;
  /** Events that somebody listens for. */
  _eventsCount: number;
}

/** The own properties that stand between a response and the wire. */
export interface ResponseHooks {
  /** `headers`: what was set, else the argument of writeHead as it was given. Throws what is wrong with them. */
  _storeHeader(this: Outgoing, statusLine: string, headers: unknown): void;
  /**
   * One piece of the body. An empty one without a callback is `flushHeaders()`; the last call before `_finish` carries
   * the callback that makes 'finish' happen. False: wait for 'drain'.
   */
  _send(this: Outgoing, data: string | Uint8Array, encoding?: string | null, callback?: Callback | null): boolean;
  /** `end()` was called and all of the body has gone through `_send`. */
  _finish(this: Outgoing): void;
}

export interface Outgoing extends Omit<ServerResponse, 'socket' | 'destroyed'>, ResponseHooks {
  socket: Socket | null;
  destroyed: boolean;
  /** Not empty: the head can no longer be changed. */
  _header: string | null;
  /** Bytes of the body: told by a header, or known because `end` was given all of it. */
  _contentLength: number | null;
  /** False for HEAD, 204 and 304. */
  _hasBody: boolean;
  _removedContLen: boolean;
  _sent100: boolean;
  /** 'close' has been emitted. */
  _closed: boolean;
  /** Events that somebody listens for. */
  _eventsCount: number;
}

export interface Internals {
  /** Key of the headers that were set: null, or a record of lower-case name to [name, value]. */
  readonly kOutHeaders: symbol;
  /** Key of the flag that `write` returned false and 'drain' is owed. */
  readonly kNeedDrain: symbol;
  /** Key of the method that parts `req.signal` from the socket; undefined before Node 24. */
  readonly kDetachSignal: symbol | undefined;
  /** Key of the callbacks of `end`, which are listeners of 'finish' before Node 24. */
  readonly kEndCallbacks: symbol | undefined;
  /** The callback that `write` passes to `_send` where its caller gave none. */
  readonly noCallback: unknown;
}

interface Classes {
  IncomingMessage: typeof IncomingMessage;
  ServerResponse: typeof ServerResponse;
}

/**
 * Runs a request and a reply through the classes and sees whether they use what we replace.
 * @throws PosternError ERR_INTERNAL they do not: this Node.js works in another way
 */
export function learnInternals(classes: Classes): Internals {
  const must = (holds: boolean, what: string): void => {
    if (holds) return;
    throw new PosternError('ERR_INTERNAL', `@postern/node does not know how Node.js ${process.version} works: ${what}`);
  };
  const trial = new Trial(classes);
  const { req, res, calls } = trial;

  must(typeof req._addHeaderLines === 'function', 'IncomingMessage has no _addHeaderLines');
  const flat = ['x-trial', '1'];
  req._addHeaderLines(flat, 2);
  must(
    req.rawHeaders === flat && req.headers['x-trial'] === '1',
    'IncomingMessage does not take its headers as an array',
  );
  must(typeof req._dump === 'function' && req._dumped === false, 'IncomingMessage has no _dump');
  must(req._consuming === false, 'IncomingMessage has no _consuming');
  must(req._readableState.closeEmitted === false, 'IncomingMessage has no _readableState');
  req.read();
  must(calls.includes('resume'), 'IncomingMessage does not ask its socket for the body by resume()');

  must(typeof prototypeFinish(classes.ServerResponse) === 'function', 'ServerResponse has no _finish');
  const kOutHeaders = symbolOf(res, 'kOutHeaders');
  const kNeedDrain = symbolOf(res, 'kNeedDrain');
  must(kOutHeaders !== undefined, 'ServerResponse has no kOutHeaders');
  must(kNeedDrain !== undefined, 'ServerResponse has no kNeedDrain');
  for (const name of ['_hasBody', '_removedContLen', '_sent100', '_closed', 'destroyed'] as const) {
    must(typeof res[name] === 'boolean', `ServerResponse has no ${name}`);
  }
  res.setHeader('X-Trial', '1');
  res.flushHeaders();
  must(calls.includes('head'), 'ServerResponse does not call _storeHeader');
  must(trial.headers === read(res, kOutHeaders), 'ServerResponse does not give its headers to _storeHeader');
  must(String(Object.entries(Object(trial.headers))) === 'x-trial,X-Trial,1', 'ServerResponse keeps headers otherwise');
  must(calls.at(-1) === 'send ', 'ServerResponse.flushHeaders does not call _send');
  must(trial.callback === undefined, 'ServerResponse.flushHeaders gives a callback to _send');
  must(!res.write('a') && calls.at(-1) === 'send a', 'ServerResponse.write does not call _send');
  const noCallback = trial.callback;
  must(read(res, kNeedDrain) === true, 'ServerResponse.write does not note that it owes a drain');
  res.end();
  must(calls.at(-2) === 'send ' && calls.at(-1) === 'finish', 'ServerResponse.end does not call _send, then _finish');
  let finished = false;
  res.on('finish', () => {
    finished = true;
  });
  trial.callback?.();
  must(finished, "ServerResponse does not emit 'finish' when the last piece is gone");

  return {
    kOutHeaders: kOutHeaders as symbol,
    kNeedDrain: kNeedDrain as symbol,
    kDetachSignal: symbolOf(Object.getPrototypeOf(req), 'kDetachAbortSignal'),
    kEndCallbacks: symbolOf(res, 'kEndCallbacks'),
    noCallback,
  };
}

class Trial {
  readonly req: Incoming;
  readonly res: Outgoing;
  readonly calls: string[] = [];
  headers: unknown;
  callback: Callback | null | undefined;

  constructor(classes: Classes) {
    const { calls } = this;
    const socket = {
      readable: true,
      writable: true,
      // no zero: `write` would uncork in a later tick
      writableCorked: 1,
      readableHighWaterMark: 1,
      _writableState: { corked: 0 },
      resume: () => calls.push('resume'),
      cork() {},
      uncork() {},
      _httpMessage: null as Outgoing | null,
    };
    this.req = newRequest(classes.IncomingMessage, socket as unknown as Socket);
    this.res = newResponse(classes.ServerResponse, this.req);
    this.res.socket = socket as unknown as Socket;
    // else `end` leaves `_finish` to the connection
    socket._httpMessage = this.res;
    this.res._storeHeader = (statusLine, headers) => {
      calls.push('head');
      this.headers = headers;
      this.res._header = statusLine;
    };
    this.res._send = (data, _encoding, callback) => {
      calls.push(`send ${data}`);
      this.callback = callback;
      return false;
    };
    this.res._finish = () => {
      calls.push('finish');
    };
  }
}

/** `httpVersion` is 1.1 until it is set: a response that finds another looks at the headers, which builds them. */
export function newRequest(Class: new (socket: Socket) => IncomingMessage, socket: Socket): Incoming {
  const req = new Class(socket);
  req.httpVersion = '1.1';
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  return req as Incoming;
}

export function newResponse(Class: new (req: IncomingMessage) => ServerResponse, req: IncomingMessage): Outgoing {
  return new Class(req) as unknown as Outgoing;
}

function symbolOf(target: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(target).find((symbol) => symbol.description === description);
}

function read(target: object, key: symbol | undefined): unknown {
  return key === undefined ? undefined : (target as Record<symbol, unknown>)[key];
}

export const { kOutHeaders, kNeedDrain, kDetachSignal, kEndCallbacks, noCallback } = learnInternals({
  IncomingMessage,
  ServerResponse,
});

function prototypeFinish(Class: typeof ServerResponse): Outgoing['_finish'] {
  return (Class.prototype as unknown as Outgoing)._finish;
}

/** Node's own `_finish`: emits 'prefinish', and tells those who measure. */
export const announceFinish = prototypeFinish(ServerResponse);

/** The headers that were set on a response, or null. */
export function settledHeaders(res: Outgoing): Record<string, [name: string, value: unknown]> | null {
  return read(res, kOutHeaders) as Record<string, [string, unknown]> | null;
}

/** `end` was given a callback, which does not show among the listeners. */
export function hasEndCallbacks(res: Outgoing): boolean {
  return kEndCallbacks !== undefined && read(res, kEndCallbacks) !== null;
}

/** Emits the 'drain' that is owed. */
export function emitDrain(res: Outgoing): void {
  const flags = res as unknown as Record<symbol, boolean>;
  if (!flags[kNeedDrain]) return;
  flags[kNeedDrain] = false;
  res.emit('drain');
}

/** Somebody has begun to read the body, or is about to. */
export function isRead(req: Incoming): boolean {
  return req._consuming || req._readableState.resumeScheduled;
}

/** A request that nobody has read and nobody listens to: it is over without a turn of its stream. */
export function closeUnread(req: Incoming): void {
  const state = req._readableState;
  req._dumped = true;
  state.ended = true;
  state.endEmitted = true;
  state.destroyed = true;
  state.closed = true;
  state.closeEmitted = true;
}

const { emit } = EventEmitter.prototype;

/** Nobody would notice an event of it. Some tools take the place of `emit` to hear of all. */
export function isUnheard(emitter: { _eventsCount: number; emit: unknown }): boolean {
  return emitter._eventsCount === 0 && emitter.emit === emit;
}

/** `listenerCount` looks for each event anew, also where there is no listener at all. */
export function hears(emitter: { _eventsCount: number; listenerCount(event: string): number }, event: string): boolean {
  return emitter._eventsCount > 0 && emitter.listenerCount(event) > 0;
}

/**
 * From Node 24 on an AsyncResource has the asynchronous context in which it was made, before that what was entered in it
 * last.
 */
export const contextIsFixed = symbolOf(new AsyncResource('POSTERNREQUEST'), 'context_frame') !== undefined;

/** The reply is complete: the close of the socket is no abort of the request. */
export function detachSignal(req: Incoming): void {
  if (kDetachSignal !== undefined) (req as unknown as Record<symbol, () => void>)[kDetachSignal]();
}
