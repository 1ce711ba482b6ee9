import { afterEach, describe, expect, it } from '@jest/globals';
import { type Exchange, limitsWith } from '../../packages/core/src/index.ts';
import { type LogEntry, Server } from '../../packages/server/src/index.ts';
import { connectTo, type Peer } from '../../packages/server/test/support/peer.ts';
import { fiveProtocols, type OneOfFive, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { bodyInFive, headInFive, protocols } from './support/wires.ts';

/** Between the leaving and the signal, in milliseconds: of several tries, for the machine may be busy. */
const BOUND = 50;
const TRIES = 7;

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Running {
  readonly server: Server;
  readonly logs: LogEntry[];
  readonly errors: unknown[];
  /** When the signal of each request fired. */
  readonly aborted: number[];
  connect(): Promise<Peer>;
}

/** A server on the clock of the system. */
async function running(
  protocol: OneOfFive,
  handler: (exchange: Exchange) => unknown,
  limits: Parameters<typeof limitsWith>[0] = {},
): Promise<Running> {
  const logs: LogEntry[] = [];
  const errors: unknown[] = [];
  const aborted: number[] = [];
  const server = new Server(
    (exchange) => {
      exchange.signal.addEventListener('abort', () => aborted.push(performance.now()));
      return handler(exchange);
    },
    { limits: limitsWith(limits), log: (entry) => logs.push(entry), onError: (error) => errors.push(error) },
  );
  cleanUps.push(() => server.close(0));
  const address = await server.listen(protocols[protocol], { transport: 'tcp', host: '127.0.0.1', port: 0 });
  const connect = async (): Promise<Peer> => {
    const peer = await connectTo(address);
    cleanUps.push(() => peer.socket.destroy());
    return peer;
  };
  return { server, logs, errors, aborted, connect };
}

/** Lets peers leave one after the other, and gives how long it took until the application knew, the shortest first. */
async function leavings(one: Running, come: (peer: Peer, i: number) => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < TRIES; i++) {
    const peer = await one.connect();
    await come(peer, i);
    const left = performance.now();
    peer.socket.destroy();
    await until(
      () => one.aborted.length,
      (count) => count === i + 1,
    );
    took.push(one.aborted[i] - left);
  }
  return took.sort((a, b) => a - b);
}

/** That somebody leaves is no error: one line for each, which says no more than that. */
function expectQuiet({ logs, errors }: Running): void {
  expect(errors).toEqual([]);
  expect(logs).toHaveLength(TRIES);
  for (const entry of logs) expect(entry).toMatchObject({ level: 'info', event: 'abort', code: 'ERR_ABORTED' });
}

describe.each(fiveProtocols)('a client over %s', (protocol) => {
  it('fault 30: that leaves before it is answered is told of within 50 ms, and nothing is written', async () => {
    let asked = 0;
    const one = await running(protocol, () => {
      asked++;
    });
    const peers: Peer[] = [];
    const took = await leavings(one, async (peer, i) => {
      peers.push(peer);
      peer.write(requestInFive(protocol, '/'));
      await until(
        () => asked,
        (count) => count === i + 1,
      );
    });
    expect(took[TRIES >> 1]).toBeLessThan(BOUND);
    for (const { size } of peers) expect(size).toBe(0);
    expectQuiet(one);
  });

  it('fault 31: that leaves within a reply ends the writing of it', async () => {
    let written = 0;
    let rejected = 0;
    const one = await running(protocol, async (exchange) => {
      const writer = exchange.start(200, 'OK', []);
      for (; !writer.closed; written++)
        if (!writer.write(Buffer.alloc(10_000))) await new Promise<void>((resolve) => writer.onDrain(resolve));
      rejected++;
    });
    const took = await leavings(one, async (peer) => {
      peer.write(requestInFive(protocol, '/'));
      await peer.when(() => peer.size > 1_000_000);
    });
    expect(took[TRIES >> 1]).toBeLessThan(BOUND);
    await until(
      () => rejected,
      (count) => count === TRIES,
    );
    expect(written).toBeGreaterThan(700);
    expectQuiet(one);
  });

  it('fault 32: that leaves within an upload ends it with ERR_ABORTED, and the application may go on', async () => {
    const codes: unknown[] = [];
    let asked = 0;
    const one = await running(protocol, async (exchange) => {
      asked++;
      try {
        await exchange.input.bytes();
      } catch (error) {
        codes.push((error as { code?: string }).code);
        exchange.respond(200, 'OK', [], 'for nobody');
      }
    });
    const peers: Peer[] = [];
    const took = await leavings(one, async (peer, i) => {
      peers.push(peer);
      peer.write(headInFive(protocol, '/', 1000));
      peer.write(bodyInFive(protocol, Buffer.alloc(500)));
      await until(
        () => asked,
        (count) => count === i + 1,
      );
    });
    expect(took[TRIES >> 1]).toBeLessThan(BOUND);
    expect(codes).toEqual(Array.from({ length: TRIES }, () => 'ERR_ABORTED'));
    for (const { size } of peers) expect(size).toBeLessThanOrEqual(protocol === 'ajp' ? 7 : 0);
    expectQuiet(one);
  });

  it('D1: that sends its head in real time, too slowly, is sent away when headersTimeout is over', async () => {
    const one = await running(protocol, () => {}, { headersTimeout: 500 });
    const peer = await one.connect();
    const whole = requestInFive(protocol, '/');
    const began = performance.now();
    let at = 0;
    const timer = setInterval(() => peer.socket.writable && peer.write(whole.subarray(at, ++at)), 25);
    cleanUps.push(() => clearInterval(timer));
    await peer.gone();
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(500);
    expect(took).toBeLessThan(500 + 1000);
    expect(at).toBeLessThan(whole.length);
    expect(one.logs).toMatchObject([{ level: 'warn', code: 'ERR_TIMEOUT_HEAD' }]);
    expect(one.aborted).toEqual([]);
  });
});
