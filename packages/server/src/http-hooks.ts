import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpConnection, Run } from './http-connection.ts';

const kConnection = Symbol('connection');
const kRun = Symbol('run');

/** The connection that a socket belongs to, or its TLS. */
export function connectionOf(socket: object | undefined): HttpConnection | undefined {
  return (socket as { [kConnection]?: HttpConnection } | undefined)?.[kConnection];
}

/** The connection hears when this socket closes. */
export function hookRaw(socket: Socket, connection: HttpConnection): void {
  (socket as Socket & { [kConnection]?: HttpConnection })[kConnection] = connection;
  socket.on('close', onClose);
}

/** HTTP is spoken on this socket: the connection is to end it. */
export function hookSpoken(socket: Socket, connection: HttpConnection): void {
  (socket as Socket & { [kConnection]?: HttpConnection })[kConnection] = connection;
  // node:http ends a connection by this: a close with unread input would take the reply from the peer
  socket.destroySoon = finishSoon;
}

export function unhookSpoken(socket: Socket): void {
  Reflect.deleteProperty(socket, 'destroySoon');
}

/** The connection hears when the reply of a request is sent, or its client has left. */
export function hookReply(res: ServerResponse, run: Run): void {
  (res as ServerResponse & { [kRun]?: Run })[kRun] = run;
  res.on('close', onReplyClose);
}

/** The connection hears when the rest of a body has come. */
export function hookRequest(req: IncomingMessage | undefined): void {
  req?.on('end', onRequestEnd);
}

function onClose(this: Socket): void {
  connectionOf(this)?.closed();
}

function finishSoon(this: Socket): void {
  connectionOf(this)?.finish();
}

function onRequestEnd(this: IncomingMessage): void {
  connectionOf(this.socket)?.bodyEnded();
}

function onReplyClose(this: ServerResponse): void {
  connectionOf(this.req.socket)?.replied((this as ServerResponse & { [kRun]?: Run })[kRun]);
}
