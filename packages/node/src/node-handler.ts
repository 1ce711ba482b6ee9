import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Exchange, type Handler, isThenable, LocalProtocolError, upgradeAsked } from '@postern/core';
import { GatewaySocket, type ServerLike } from './gateway-socket.ts';
import {
  type InformationalHooks,
  writeContinue,
  writeEarlyHints,
  writeInformation,
  writeProcessing,
} from './informational.ts';
import { announceFinish, type Callback, type Incoming, newRequest, newResponse, type Outgoing } from './internals.ts';
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
  const { server } = options;
  return function handleNode(exchange: Exchange): unknown {
    // without a listener it is an ordinary request, as in node:http
    if (server?.listenerCount?.('upgrade') && exchange.role === 'responder' && upgradeAsked(exchange.head))
      return emitUpgrade(exchange, server);
    return run(exchange, listener, server);
  };
}

/** Runs what listens for 'request' and 'upgrade' on a server that itself does not listen: an exported `http.Server`, Fastify's. */
export function attach(server: ServerLike): Handler {
  return nodeHandler(
    (req, res) => {
      if (server.emit('request', req, res)) return;
      throw new LocalProtocolError('ERR_APP_EXPORT', "nothing listens for 'request' on the server");
    },
    { server },
  );
}

/** @returns what the listener returned: the promise of an asynchronous one */
function run(exchange: Exchange, listener: RequestListener, server: ServerLike | undefined): unknown {
  let reply: Reply | undefined;
  let result: unknown;
  try {
    const socket = new GatewaySocket(exchange, server);
    const req = createRequest(exchange, socket);
    const res = createResponse(req, socket);
    reply = new Reply(exchange, socket, res);
    res[kReply] = reply;
    socket.assign(req, res, reply);
    setVersion(req, exchange.head.protocol);
    result = socket.run(listener, req, res as unknown as ServerResponse);
    if (isThenable(result)) result.then(undefined, (error) => exchange.fail(error));
  } catch (error) {
    exchange.fail(error);
  }
  reply?.settle();
  return result;
}

function createRequest(exchange: Exchange, socket: GatewaySocket): Incoming {
  const { head, input } = exchange;
  const req = newRequest(IncomingMessage, socket as unknown as Socket);
  req.method = head.method;
  req.url = head.target;
  let flat = head.headers();
  // a body parser reads where a length or this field is
  if (head.contentLength < 0 && !input.complete && !flat.includes('transfer-encoding')) {
    flat = [...flat, 'transfer-encoding', 'chunked'];
  }
  req._addHeaderLines(flat, flat.length);
  req.complete = input.complete;
  return req;
}

function createResponse(req: Incoming, socket: GatewaySocket): HookedResponse {
  const res = newResponse(ServerResponse, req) as HookedResponse;
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
