import { describe, expect, it } from '@jest/globals';
import {
  type AnswerEvent,
  type BackEndOptions,
  type ClientConnection,
  limitsWith,
  type PeerOptions,
  RemoteProtocolError,
  type ServerConnection,
} from '@postern/core';
import { outputText } from '@postern/testkit';
import { ajp } from '../src/index.ts';

/** Both sides of one connection, without a socket: what one writes the other reads, in pieces of any size. */
class Wire {
  readonly client: ClientConnection;
  readonly server: ServerConnection;
  readonly heard: AnswerEvent[] = [];
  readonly errors: string[] = [];
  readonly bodies: string[] = [];
  #ended = new Set<number>();

  constructor(peer: PeerOptions = {}, backEnd: BackEndOptions = {}) {
    this.client = ajp.client(limitsWith(), backEnd);
    this.server = ajp.server(limitsWith(), peer);
  }

  /** Until neither side has anything to say. The application echoes the body when all of it has come. */
  run(piece = 1 << 20): void {
    for (let moved = true; moved; ) {
      const there = Buffer.from(outputText(this.client), 'latin1');
      for (let at = 0; at < there.length; at += piece) {
        this.server.receive(there.subarray(at, at + piece));
        this.#serve();
      }
      const back = Buffer.from(outputText(this.server), 'latin1');
      for (let at = 0; at < back.length; at += piece) {
        this.client.receive(back.subarray(at, at + piece));
        this.#hear();
      }
      moved = there.length + back.length > 0;
    }
  }

  #serve(): void {
    for (;;) {
      try {
        const event = this.server.next();
        if (event === undefined) return;
        if (event.type === 'request') {
          this.bodies[event.id] = '';
          if (event.ended) this.#echo(event.id);
          else this.server.pull(event.id);
        } else if (event.type === 'data') {
          this.bodies[event.id] += Buffer.from(event.chunk).toString('latin1');
          this.server.pull(event.id);
        } else if (event.type === 'end') this.#echo(event.id);
        else {
          this.errors.push((event.error as { code?: string }).code ?? '');
          this.#answer(event.id, 400, '');
        }
      } catch (error) {
        if (!(error instanceof RemoteProtocolError) || error.scope === 'connection') throw error;
        this.errors.push(error.code);
        this.#answer(error.id, error.statusHint, '');
      }
    }
  }

  #echo(id: number): void {
    expect(this.#ended.has(id)).toBe(false);
    this.#ended.add(id);
    this.#answer(id, 200, this.bodies[id]);
  }

  #answer(id: number, status: number, body: string): void {
    this.server.send({ type: 'head', id, status, reason: '', headers: ['Content-Length', String(body.length)] });
    if (body !== '') this.server.send({ type: 'data', id, chunk: Buffer.from(body, 'latin1') });
    this.server.send({ type: 'end', id });
  }

  #hear(): void {
    for (let event = this.client.next(); event !== undefined; event = this.client.next()) {
      this.heard.push(event);
      this.client.pull(1);
    }
  }

  /** What was heard since the last time: status, body and whether the connection can be used again. */
  reply(): { status: number; body: string; reuse: boolean | undefined } {
    const reply = { status: 0, body: '', reuse: undefined as boolean | undefined };
    for (const event of this.heard.splice(0)) {
      if (event.type === 'head') reply.status = event.status;
      else if (event.type === 'data') reply.body += Buffer.from(event.chunk).toString('latin1');
      else if (event.type === 'end') reply.reuse = event.reuse;
    }
    return reply;
  }
}

function ask(wire: Wire, method: string, more: string[] = [], keep = true): void {
  const variables = ['REQUEST_METHOD', method, 'REQUEST_URI', '/a?b', 'HTTP_HOST', 'h', ...more];
  wire.client.send({ type: 'request', id: 1, variables, keep });
}

function give(wire: Wire, body: string, piece: number): void {
  for (let at = 0; at < body.length; at += piece)
    wire.client.send({ type: 'data', id: 1, chunk: Buffer.from(body.slice(at, at + piece), 'latin1') });
  wire.client.send({ type: 'end', id: 1 });
}

const text = (length: number): string =>
  Array.from({ length }, (_, i) => String.fromCharCode((i * 7 + (i >> 8)) & 255)).join('');

const sizes = [8192, 65_536];
const lengths = [0, 1, 8186, 8187, 100_000];
const cases = sizes.flatMap((packetSize) => lengths.map((length) => [packetSize, length] as const));

describe('our client and our server', () => {
  it.each(sizes)('understand each other about GET, again and again, with packets of %d bytes', (packetSize) => {
    const wire = new Wire({ packetSize }, { packetSize });
    for (let i = 0; i < 3; i++) {
      ask(wire, 'GET');
      give(wire, '', 1);
      wire.run(i === 1 ? 1 : undefined);
      expect(wire.reply()).toEqual({ status: 200, body: '', reuse: true });
    }
    expect([wire.client.wantsClose, wire.server.wantsClose]).toEqual([false, false]);
    expect(wire.server.idle).toBe(true);
  });

  it.each(cases)('packets of %d bytes: carry a body of %d bytes both ways', (packetSize, length) => {
    const body = text(length);
    for (const piece of [1 << 20, 1000]) {
      const wire = new Wire({ packetSize }, { packetSize });
      ask(wire, 'POST', ['CONTENT_LENGTH', String(length)]);
      give(wire, body, piece);
      wire.run(piece);
      expect(wire.reply()).toEqual({ status: 200, body, reuse: true });
      expect(wire.errors).toEqual([]);
    }
  });

  it.each(cases)('packets of %d bytes: carry a chunked body of %d bytes both ways', (packetSize, length) => {
    const body = text(length);
    const wire = new Wire({ packetSize }, { packetSize });
    ask(wire, 'PUT', ['HTTP_TRANSFER_ENCODING', 'chunked']);
    give(wire, body, 3000);
    wire.run();
    expect(wire.reply()).toEqual({ status: 200, body, reuse: true });
  });

  it('carry a body that comes little by little', () => {
    for (const more of [
      ['CONTENT_LENGTH', '30'],
      ['HTTP_TRANSFER_ENCODING', 'chunked'],
    ]) {
      const wire = new Wire();
      ask(wire, 'POST', more);
      for (let i = 0; i < 10; i++) {
        wire.run();
        wire.client.send({ type: 'data', id: 1, chunk: Buffer.from('abc') });
      }
      wire.client.send({ type: 'end', id: 1 });
      wire.run();
      expect(wire.reply()).toEqual({ status: 200, body: 'abc'.repeat(10), reuse: true });
    }
  });

  it('ping, before and between requests', () => {
    const wire = new Wire();
    for (let i = 0; i < 2; i++) {
      wire.client.send({ type: 'ping', id: 1 });
      wire.run();
      expect(wire.heard.splice(0)).toEqual([{ type: 'pong', id: 1 }]);
      ask(wire, 'GET');
      wire.run();
      expect(wire.reply()).toMatchObject({ status: 200, reuse: true });
    }
  });

  it.each<[string, string | undefined, string | undefined, number]>([
    ['the same', 's3cret', 's3cret', 200],
    ['another', 's3cret', 'secret', 403],
    ['missing', 's3cret', undefined, 403],
    ['not asked for', undefined, 's3cret', 200],
  ])('agree on a secret that is %s', (_, wanted, given, status) => {
    const wire = new Wire({ secret: wanted }, { secret: given });
    ask(wire, 'POST', ['CONTENT_LENGTH', '5']);
    give(wire, 'hello', 5);
    wire.run();
    const ok = status === 200;
    expect(wire.reply()).toEqual({ status, body: ok ? 'hello' : '', reuse: ok });
    expect(wire.errors).toEqual(ok ? [] : ['ERR_AJP_SECRET']);
    expect(wire.server.wantsClose).toBe(ok ? false : 'fin');
  });

  it('do not go on where the client does not want to, or the server', () => {
    const wire = new Wire();
    ask(wire, 'GET', [], false);
    wire.run();
    expect(wire.reply().reuse).toBe(false);
    expect(wire.client.wantsClose).toBe('fin');
    const stopping = new Wire();
    ask(stopping, 'GET');
    stopping.server.shutdown();
    expect(stopping.server.wantsClose).toBe('fin');
    const running = new Wire();
    ask(running, 'POST', ['HTTP_TRANSFER_ENCODING', 'chunked']);
    running.run();
    running.server.shutdown();
    running.client.send({ type: 'end', id: 1 });
    running.run();
    expect(running.reply()).toEqual({ status: 200, body: '', reuse: false });
  });
});

it('a server that hears itself closes', () => {
  const one = ajp.server(limitsWith());
  one.receive(Buffer.from('AB\x00\x01\x09', 'latin1'));
  expect(() => one.next()).toThrow(expect.objectContaining({ code: 'ERR_AJP_PACKET' }));
  expect([one.wantsClose, outputText(one)]).toEqual(['reset', '']);
});
