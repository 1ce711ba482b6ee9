import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ajp } from '@postern/ajp';
import type { ConnectTarget, Question } from '@postern/client';
import { type Application, type Environ, environHandler, type Reply } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { http } from '@postern/server';
import { type FiveReply, type OneOfFive, replyInFive, requestInFive, until } from '@postern/testkit';
import { uwsgi } from '@postern/uwsgi';
import { connectTo, type Peer } from '../../../packages/server/test/support/peer.ts';
import { atEnd, type ServeOptions, type Serving, serving } from '../../../packages/server/test/support/serving.ts';

export const spoken = { fastcgi, scgi, ajp, uwsgi, http: http() };

/** One request as the application saw it. */
export interface Seen {
  readonly environ: Environ;
  readonly body: string;
}

/** A running server, and what has become of what was sent to it. */
export interface Attacked extends Serving {
  readonly protocol: OneOfFive;
  readonly seen: Seen[];
}

export interface AttackOptions extends Omit<ServeOptions, 'protocol'> {
  /** Answers in place of `served`; it may read the body. */
  readonly app?: (environ: Environ) => Reply | Promise<Reply>;
}

/** A real server with an application that notes what it sees, reads all of the body and says `served`. */
export async function attacked(protocol: OneOfFive, { app, ...options }: AttackOptions = {}): Promise<Attacked> {
  const seen: Seen[] = [];
  const application: Application = async (environ) => {
    if (app !== undefined) {
      seen.push({ environ, body: '' });
      return app(environ);
    }
    const body = Buffer.from(await environ['gateway.input'].bytes(10_000_000)).toString('latin1');
    seen.push({ environ, body });
    return { status: 200, body: 'served' };
  };
  const all = await serving(environHandler(application), { ...options, protocol: spoken[protocol] });
  return { ...all, protocol, seen };
}

/** What a peer got; status 0: the connection ended without a complete reply. */
export interface Outcome extends FiveReply {
  readonly peer: Peer;
}

/** Sends bytes on a connection of their own and waits for the reply, or for the end. */
export async function send(all: Attacked, ...pieces: Uint8Array[]): Promise<Outcome> {
  const peer = await all.connect();
  for (const piece of pieces) peer.write(piece);
  return outcome(all, peer);
}

export async function outcome(all: Attacked, peer: Peer): Promise<Outcome> {
  const over = (): boolean => peer.ended || peer.closed;
  const reply = (): FiveReply | undefined =>
    peer.size === 0 ? undefined : replyInFive(all.protocol, peer.bytes, over());
  await peer.when(() => over() || reply() !== undefined);
  return { ...(reply() ?? { status: 0, body: '' }), peer };
}

/** Refused: answered with this status, then closed, and the application not asked. */
export async function refused(all: Attacked, status: number, ...pieces: Uint8Array[]): Promise<Peer> {
  const before = all.seen.length;
  const { status: answered, peer } = await send(all, ...pieces);
  if (answered !== status) throw new Error(`${answered} in place of ${status}: ${peer.text.slice(0, 300)}`);
  await peer.gone();
  if (all.seen.length !== before) throw new Error('the application was asked');
  return peer;
}

/** Closed without a byte, and the application not asked. */
export async function cut(all: Attacked, ...pieces: Uint8Array[]): Promise<void> {
  const peer = await refused(all, 0, ...pieces);
  if (peer.size > 0) throw new Error(`answered: ${peer.text.slice(0, 300)}`);
}

/** An honest request on a connection of its own is answered. */
export async function probe(all: Attacked): Promise<void> {
  const { status, body } = await send(all, requestInFive(all.protocol, '/probe'));
  if (status !== 200) throw new Error(`the probe got ${status} ${body}`);
}

/** A back-end that says what the test wants when a connection has sent something, and keeps what it heard. */
export interface Scripted {
  readonly target: ConnectTarget;
  /** What each connection sent, bytes as latin-1. */
  readonly heard: string[];
  readonly sockets: Socket[];
}

export async function scripted(onData: (socket: Socket, heard: string) => void): Promise<Scripted> {
  const heard: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const place = sockets.push(socket) - 1;
    heard.push('');
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard[place] += chunk.toString('latin1');
      onData(socket, heard[place]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { target: { transport: 'tcp', host: '127.0.0.1', port }, heard, sockets };
}

/** A back-end that answers with these bytes, then closes or waits. */
export function answering(bytes: Uint8Array | string, close = true): Promise<Scripted> {
  return scripted((socket) => {
    socket.removeAllListeners('data');
    socket.resume();
    const answer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    if (close) socket.end(answer);
    else socket.write(answer);
  });
}

export const question: Question = { variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', 'CONTENT_LENGTH', '0'] };

/** The code of what is thrown; 'none' where nothing is. */
export function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'none',
    (error: { code?: unknown }) => error.code,
  );
}

export { atEnd, connectTo, type Peer, until };
