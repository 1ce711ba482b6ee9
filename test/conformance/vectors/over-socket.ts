import { connect, createServer, type Socket } from 'node:net';
import { limitsWith } from '@postern/core';
import { type LogEntry, Server } from '@postern/server';
import { until } from '@postern/testkit';
import { answersOf, type Framed } from './answers.ts';
import { Audience, protocols, type Seen } from './observe.ts';
import type { Vector } from './vector.ts';

/** The peer's side of a connection. */
class Peer {
  readonly socket: Socket;
  readonly #received: Buffer[] = [];
  ended = false;
  broken = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => this.#received.push(chunk));
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('error', () => {
      this.broken = true;
    });
  }

  get output(): Buffer {
    return Buffer.concat(this.#received);
  }

  get over(): boolean {
    return this.ended || this.broken || this.socket.destroyed;
  }

  /** Each piece is a write of its own; what cannot be written any more is left. */
  async send(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.socket.connecting) await new Promise((resolve) => this.socket.once('connect', resolve));
    for (const piece of pieces) {
      if (this.over || !this.socket.writable) return;
      await new Promise<void>((resolve) => {
        this.socket.write(piece, () => resolve());
      });
    }
  }
}

/** Runs pieces of input through a server over a real socket. */
export async function seenOverSocket(protocol: Framed, vector: Vector, pieces: readonly Uint8Array[]): Promise<Seen> {
  const audience = new Audience(vector.app);
  const log: LogEntry[] = [];
  const reported: string[] = [];
  const server = new Server(audience.handler, {
    limits: limitsWith(vector.limits),
    known: Object.values(protocols),
    log: (entry) => {
      if (entry.level !== 'info') log.push(entry);
    },
    onError: (error) => reported.push(String(error)),
  });
  const accepted: Socket[] = [];
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    accepted.push(socket);
    server.accept(socket, protocols[protocol], vector.peer);
  });
  await new Promise<void>((resolve) => {
    door.listen(0, '127.0.0.1', resolve);
  });
  const peer = new Peer((door.address() as { port: number }).port);
  try {
    const { want, later = [] } = vector;
    await peer.send(pieces);
    let heard = 0;
    for (const bytes of later) {
      // it is asked for
      await until(() => peer.over || peer.output.length > heard, Boolean, 5000);
      heard = peer.output.length;
      await peer.send([bytes]);
    }
    if (vector.fin === true) peer.socket.end();
    const sent = [...pieces, ...later].reduce((sum, { length }) => sum + length, 0);
    if (vector.reset === true) {
      // what was not read yet would be lost with it
      await until(
        () => accepted[0]?.bytesRead,
        (read) => read === sent,
        5000,
      );
      peer.socket.resetAndDestroy();
      await until(
        () => audience.aborted,
        (aborted) => aborted === want.aborted,
        5000,
      );
    }
    const stays = want.closed === 'open';
    await until(
      () => peer.over || (stays && (accepted[0]?.bytesRead ?? 0) >= sent && hasAll(protocol, peer, audience, vector)),
      Boolean,
      5000,
    );
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    const closed = peer.broken ? 'reset' : peer.over ? 'fin' : 'open';
    const { output } = peer;
    return {
      ...answersOf(protocol, output, closed === 'fin'),
      asked: structuredClone(audience.asked),
      closed,
      aborted: audience.aborted,
      log: [...log],
      output: output.toString('latin1'),
      reported,
    };
  } finally {
    peer.socket.destroy();
    const shut = new Promise((resolve) => door.close(resolve));
    server.closeAll();
    await shut;
  }
}

/** What is wanted has come. */
function hasAll(protocol: Framed, { output }: Peer, { asked }: Audience, { want }: Vector): boolean {
  if (asked.length < want.asked) return false;
  try {
    const { answers, others } = answersOf(protocol, output, true);
    return answers.length >= want.answers.length && others.length >= (want.others?.length ?? 0);
  } catch {
    return false;
  }
}
