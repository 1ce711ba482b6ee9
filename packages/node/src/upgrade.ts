import { AsyncResource } from 'node:async_hooks';
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange } from '@postern/core';
import type { ServerLike } from './gateway-socket.ts';
import { newRequest } from './internals.ts';
import { UpgradeSocket } from './upgrade-socket.ts';

/** Nothing that came behind the head is taken out of the socket. */
const noHead = Buffer.alloc(0);

/** Emits 'upgrade' as `http.Server` does: the listener answers on the socket. Never throws. */
export function emitUpgrade(exchange: Exchange, server: ServerLike): void {
  try {
    // a 501, for a listener would take the client for connected
    if (!exchange.upgradable) exchange.upgrade(101, []);
    else {
      const socket = new UpgradeSocket(exchange, server);
      const req = upgradeRequest(exchange, socket);
      new AsyncResource('POSTERNREQUEST').runInAsyncScope(() => server.emit('upgrade', req, socket, noHead));
    }
  } catch (error) {
    exchange.fail(error);
  }
}

function upgradeRequest({ head }: Exchange, socket: UpgradeSocket): IncomingMessage {
  const req = newRequest(IncomingMessage, socket as unknown as Socket);
  const flat = head.headers();
  req.method = head.method;
  req.url = head.target;
  req._addHeaderLines(flat, flat.length);
  (req as unknown as { upgrade: boolean }).upgrade = true;
  req.complete = true;
  // it has no body: its stream must not ask the socket for one
  req.push(null);
  return req;
}
