import { ajp } from '@postern/ajp';
import type { Exchange } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { type FiveReply, type OneOfFive, replyInFive, until } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import { auto } from '../../src/auto-protocol.ts';
import { http } from '../../src/http-protocol.ts';
import type { Peer } from './peer.ts';
import { hello, type ServeOptions, type Serving, serving } from './serving.ts';

export const framed = [fastcgi, scgi, ajp, uwsgi];

/** Says in what protocol it was asked for what, and gives the body back. */
export async function echo(exchange: Exchange): Promise<void> {
  const body = Buffer.from(await exchange.input.bytes(1_000_000)).toString('latin1');
  exchange.respond(200, 'OK', [], `${exchange.protocol} ${exchange.head.target} ${body}`);
}

export function served(handler = hello as (exchange: Exchange) => void, options: ServeOptions = {}): Promise<Serving> {
  return serving(handler, { protocol: auto(framed, http()), ...options });
}

/** Sends pieces, each as a read of its own. */
export async function sendPieces(all: Serving, peer: Peer, pieces: readonly Uint8Array[]): Promise<void> {
  const socket = all.sockets.length;
  let sent = 0;
  for (const piece of pieces) {
    peer.write(piece);
    sent += piece.length;
    const now = sent;
    await until(
      () => all.sockets[socket - 1]?.bytesRead ?? 0,
      (read) => read >= now,
    );
  }
}

export async function opened(all: Serving): Promise<Peer> {
  const before = all.sockets.length;
  const peer = await all.connect();
  await until(
    () => all.sockets.length,
    (count) => count > before,
  );
  return peer;
}

export async function replyOf(peer: Peer, protocol: OneOfFive): Promise<FiveReply> {
  await peer.when(() => replyInFive(protocol, peer.bytes, peer.ended) !== undefined);
  return replyInFive(protocol, peer.bytes, true) as FiveReply;
}
