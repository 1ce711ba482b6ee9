import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Exchange, type Handler, isThenable, LocalProtocolError, upgradeAsked } from '@postern/core';
import { GatewaySocket, type ServerLike } from './gateway-socket.ts';
import { headerRecord } from './header-records.ts';
import {
  type InformationalHooks,
  writeContinue,
  writeEarlyHints,
  writeInformation,
  writeProcessing,
} from './informational.ts';
import { announceFinish, type Callback, type Incoming, newRequest, newResponse, type Outgoing } from './internals.ts';
import { MessageClasses, type RequestClass, type ResponseClass } from './message-classes.ts';
import { Reply } from './reply.ts';
import { emitUpgrade } from './upgrade.ts';

/** What `http.createServer` takes: a function, an Express or connect app, `koa.callback()`, … */
export type RequestListener = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface NodeHandlerOptions {
  /** What `req.socket.server` is, and where 'timeout' and 'upgrade' go. */
  server?: ServerLike;
}

const kReply = Symbol('reply');

type HookedResponse = Outgoing & InformationalHooks & { [kReply]: Reply };

/**
 * Runs a `(req, res)` listener on the waist. What it throws, and what its promise is rejected with, goes to
 * `Exchange.fail`: 500 where nothing has been sent, else the reply is broken off.
 */
export function nodeHandler(listener: RequestListener, options: NodeHandlerOptions = {}): Handler {
  return handlerOf(listener, options.server, () => listener);
}

/** @param app what answers the next request: see `MessageClasses` */
function handlerOf(listener: RequestListener, server: ServerLike | undefined, app: () => unknown): Handler {
  const classes = new MessageClasses();
  return function handleNode(exchange: Exchange): unknown {
    // without a listener it is an ordinary request, as in node:http
    if (server?.listenerCount?.('upgrade') && exchange.role === 'responder' && upgradeAsked(exchange.head))
      return emitUpgrade(exchange, server);
    return run(exchange, listener, server, classes, app());
  };
}

/** Runs what listens for 'request' and 'upgrade' on a server that itself does not listen: an exported `http.Server`, Fastify's. */
export function attach(server: ServerLike): Handler {
  const emitRequest = (req: IncomingMessage, res: ServerResponse): void => {
    if (server.emit('request', req, res)) return;
    throw new LocalProtocolError('ERR_APP_EXPORT', "nothing listens for 'request' on the server");
  };
  return handlerOf(emitRequest, server, () => server.listeners?.('request')[0]);
}

/** @returns what the listener returned: the promise of an asynchronous one */
function run(
  exchange: Exchange,
  listener: RequestListener,
  server: ServerLike | undefined,
  classes: MessageClasses,
  app: unknown,
): unknown {
  try {
    const socket = new GatewaySocket(exchange, server);
    const req = createRequest(exchange, socket, classes.requestOf(app));
    const res = createResponse(req, socket, classes.responseOf(app));
    const reply = new Reply(exchange, socket, req, res);
    res[kReply] = reply;
    socket.assign(req, res, reply);
    setVersion(req, exchange.head.protocol);
    return socket.run(callListener, listener, req, res, exchange);
  } catch (error) {
    exchange.fail(error);
    return undefined;
  }
}

/** Inside the request's own asynchronous context, as are the ends of a reply that is complete when this returns. */
function callListener(listener: RequestListener, req: Incoming, res: HookedResponse, exchange: Exchange): unknown {
  let result: unknown;
  try {
    result = listener(req, res as unknown as ServerResponse);
    if (isThenable(result)) result.then(undefined, (error) => exchange.fail(error));
  } catch (error) {
    exchange.fail(error);
  }
  res[kReply].settle();
  return result;
}

function createRequest(exchange: Exchange, socket: GatewaySocket, Request: RequestClass): Incoming {
  const { head, inputComplete } = exchange;
  const req = newRequest(Request, socket as unknown as Socket);
  req.method = head.method;
  req.url = head.target;
  let flat = head.headers();
  // a body parser reads where a length or this field is
  if (head.contentLength < 0 && !inputComplete && !flat.includes('transfer-encoding')) {
    flat = [...flat, 'transfer-encoding', 'chunked'];
  }
  req._addHeaderLines(flat, flat.length);
  const headers = headerRecord(flat);
  if (headers !== undefined) req.headers = headers;
  req.complete = inputComplete;
  return req;
}

function createResponse(req: Incoming, socket: GatewaySocket, Response: ResponseClass): HookedResponse {
  const res = newResponse(Response, req) as HookedResponse;
  res.socket = socket as unknown as Socket;
  res._storeHeader = storeHeader;
  res._send = send;
  res._finish = finish;
  res.writeContinue = writeContinue;
  res.writeProcessing = writeProcessing;
  res.writeEarlyHints = writeEarlyHints;
  res.writeInformation = writeInformation;
  return res;
}

/** The response has been made from the request by now: see `newRequest`. */
function setVersion(req: IncomingMessage, protocol: string): void {
  if (protocol === 'HTTP/1.1') return;
  const major = Number(protocol[5]);
  const minor = Number(protocol[7] ?? 0);
  req.httpVersion = `${major}.${minor}`;
  req.httpVersionMajor = major;
  req.httpVersionMinor = minor;
}

function storeHeader(this: Outgoing, statusLine: string, headers: unknown): void {
  (this as HookedResponse)[kReply].head(statusLine, headers);
}

function send(
  this: Outgoing,
  data: string | Uint8Array,
  encoding?: string | null,
  callback?: Callback | null,
): boolean {
  return (this as HookedResponse)[kReply].send(data, encoding, callback);
}

function finish(this: Outgoing): void {
  (this as HookedResponse)[kReply].end();
  announceFinish.call(this);
}
