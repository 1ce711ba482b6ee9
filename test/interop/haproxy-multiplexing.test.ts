import { createHash } from 'node:crypto';
import { type ClientRequest, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FrontEnd, http, portOf, type Served, servePostern, until } from '../../packages/testkit/src/index.ts';
import { multiplexing, replaced, startByConfig } from './by-config.ts';

const ABORT_REQUEST = 2;
const GET_VALUES = 9;

/** Stands between HAProxy and the app, passes every byte on, and counts. */
class Relay {
  accepted = 0;
  /** Bytes that HAProxy sent. */
  received = 0;
  /** What HAProxy sent: the number of records of each type. */
  readonly records = new Map<number, number>();
  readonly #server: Server;

  constructor(to: number) {
    this.#server = createServer((socket) => {
      this.accepted++;
      const app = connect(to, '127.0.0.1');
      socket.on('data', this.#counter());
      socket.pipe(app);
      app.pipe(socket);
      socket.on('error', () => {});
      app.on('error', () => {});
      socket.on('close', () => app.destroy());
      app.on('close', () => socket.destroy());
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): void {
    this.#server.close();
  }

  #counter(): (chunk: Buffer) => void {
    let rest = Buffer.alloc(0);
    let skip = 0;
    return (chunk) => {
      this.received += chunk.length;
      let bytes = Buffer.concat([rest, chunk]);
      for (;;) {
        const skipped = Math.min(skip, bytes.length);
        bytes = bytes.subarray(skipped);
        skip -= skipped;
        if (skip > 0 || bytes.length < 8) break;
        const type = bytes[1];
        this.records.set(type, (this.records.get(type) ?? 0) + 1);
        skip = 8 + bytes.readUInt16BE(4) + bytes[6];
      }
      rest = Buffer.from(bytes);
    };
  }
}

let app: Served;

beforeAll(async () => {
  app = await servePostern('test/fixtures/plain.mjs', ['fastcgi://127.0.0.1:0', 'http://127.0.0.1:0']);
});
afterAll(async () => {
  expect((await app.child.stop()).code).toBe(0);
});

/** One thread has one set of connections. */
const oneThread = (text: string): string => replaced(text, 'global\n', 'global\n    nbthread 1\n');

describe.each([
  ['with', true],
  ['without', false],
])('HAProxy with mpxs-conns, %s get-values', (_, getValues) => {
  let relay: Relay;
  let haproxy: FrontEnd;

  beforeEach(async () => {
    relay = new Relay(portOf(app.addresses[0]));
    const listen = `fastcgi://127.0.0.1:${await relay.listen()}`;
    haproxy = await startByConfig('haproxy', listen, (text) => multiplexing(oneThread(text), getValues));
    // from here on there is a connection that more can go on
    await ask('/');
  });
  afterEach(async () => {
    await haproxy.stop();
    relay.close();
  });

  const ask = (path: string) => http({ port: haproxy.port, path });
  /** Past HAProxy. */
  const askApp = (path: string) => http({ port: portOf(app.addresses[1]), path });
  const state = async (): Promise<{ begun: number; left: number }> => JSON.parse((await askApp('/left')).text);

  /** A reply that goes on and on. */
  function ticking(): Promise<{ another(): Promise<void> }> {
    return new Promise((resolve, reject) => {
      const endless = request({ host: '127.0.0.1', port: haproxy.port, path: '/ticks', agent: false }, (response) => {
        response.on('error', () => {});
        response.once('data', () =>
          resolve({ another: () => new Promise((ticked) => response.once('data', () => ticked())) }),
        );
      });
      endless.on('error', reject);
      endless.end();
    });
  }

  /** An upload that says how long it is, and has not sent all of it. */
  function upload(path: string, length: number): ClientRequest {
    const { port } = haproxy;
    const headers = { 'Content-Length': length };
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false, headers });
    outgoing.on('error', () => {});
    return outgoing;
  }

  it('asks for the values when it is told to', () => {
    expect(relay.records.get(GET_VALUES)).toBe(getValues ? 1 : undefined);
  });

  it('has 200 answered at once on two connections, each with what belongs to it', async () => {
    const paths = Array.from({ length: 200 }, (_, i) => `/one-of-many/${i}`);
    const replies = await Promise.all(paths.map(ask));
    expect(replies.map(({ text }) => JSON.parse(text).url)).toEqual(paths);
    expect(relay.accepted).toBeLessThanOrEqual(2);
  });

  it('has 100 answered within a second each beside 50 MB that the app does not read', async () => {
    const body = Buffer.alloc(50_000_000, 'u');
    const outgoing = upload('/hold', body.length);
    const answered = new Promise<string>((resolve, reject) => {
      outgoing.on('error', reject);
      outgoing.on('response', async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(text);
      });
    });
    answered.catch(() => {});
    outgoing.end(body);
    // beside a body that is on its way HAProxy answers some with 500 by itself
    await until(
      () => relay.received,
      (bytes) => bytes > body.length,
    );
    const times = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const start = performance.now();
        const { text } = await ask(`/beside/${i}`);
        expect(JSON.parse(text).url).toBe(`/beside/${i}`);
        return performance.now() - start;
      }),
    );
    expect(Math.max(...times)).toBeLessThan(1000);
    await askApp('/go');
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(JSON.parse(await answered)).toEqual({ method: 'POST', bytes: body.length, sha256 });
    expect(relay.accepted).toBe(1);
  });

  it('aborts the upload of a client that leaves, and none beside it', async () => {
    const neighbour = await ticking();
    const before = await state();
    const leaving = upload('/hold', 1_000_000);
    leaving.write(Buffer.alloc(500_000));
    await until(state, ({ begun }) => begun === before.begun + 1);
    expect(relay.records.get(ABORT_REQUEST)).toBeUndefined();
    leaving.destroy();
    await until(state, ({ left }) => left === before.left + 1);
    expect(relay.records.get(ABORT_REQUEST)).toBe(1);
    await neighbour.another();
    expect(relay.accepted).toBe(1);
  });

  it.each([
    ['without', ''],
    ['with', '?length=100000'],
  ])('shows a reply %s Content-Length that broke off as broken, and none beside it', async (_, query) => {
    const neighbour = await ticking();
    const outcome = new Promise<string>((resolve) => {
      const broken = request({ host: '127.0.0.1', port: haproxy.port, path: `/throw-when-told${query}`, agent: false });
      broken.on('response', (response) => {
        response.once('data', () => askApp('/tell'));
        response.on('error', (error) => resolve(String(error)));
        response.on('end', () => resolve('complete'));
      });
      broken.end();
    });
    expect(await outcome).toMatch(/Error/);
    await neighbour.another();
    expect(JSON.parse((await ask('/next')).text).url).toBe('/next');
    expect(relay.accepted).toBe(1);
  });
});
