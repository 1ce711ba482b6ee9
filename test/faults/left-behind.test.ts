import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fiveProtocols, requestInFive, until } from '../../packages/testkit/src/index.ts';
import { type FaultServer, faultServer } from './support/fault-child.ts';
import { bodyInFive, headInFive } from './support/wires.ts';

let server: FaultServer;

beforeAll(async () => {
  server = await faultServer({ standing: true, limits: { maxBody: 100_000 } });
});

// a promise that nobody looks after ends the process, which would be told here
afterAll(() => server.stop());

describe.each(fiveProtocols)('over %s', (protocol) => {
  const upload = Buffer.concat([headInFive(protocol, '/copy', 400), bodyInFive(protocol, Buffer.alloc(400))]);

  it('fault 35: a connection that breaks anywhere within a request does no harm to an app of (req, res)', async () => {
    await server.reset();
    for (const way of ['end', 'resetAndDestroy'] as const) {
      const peers = [];
      for (let cut = 1; cut < upload.length; cut += 9) {
        const peer = await server.connect(protocol);
        peer.write(upload.subarray(0, cut));
        peers.push(peer);
      }
      await server.when(({ connections }) => connections === peers.length);
      for (const { socket } of peers) socket[way]();
      await server.when(({ connections }) => connections === 0);
      for (const { socket } of peers) socket.destroy();
    }
    const { asked, running, errors, logs } = await server.state();
    expect(asked).toBeGreaterThan(80);
    expect({ running, errors }).toEqual({ running: 0, errors: [] });
    expect(logs.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('D20: nothing is left open behind any fault', async () => {
    await server.reset();
    const before = server.descriptors();
    /** What is sent, and whether the peer leaves by itself. */
    const faults: [Buffer, 'stays' | 'leaves'][] = [
      [requestInFive(protocol, '/hello').subarray(0, 30), 'stays'],
      [headInFive(protocol, '/echo', 10), 'stays'],
      [headInFive(protocol, '/echo', 1_000_000), 'stays'],
      [requestInFive(protocol, '/throw'), 'stays'],
      [requestInFive(protocol, '/never'), 'stays'],
      [requestInFive(protocol, '/never'), 'leaves'],
      [requestInFive(protocol, '/begun'), 'leaves'],
      [requestInFive(protocol, '/large'), 'leaves'],
      [headInFive(protocol, '/echo', 10), 'leaves'],
      [Buffer.alloc(100, 255), 'stays'],
    ];
    const peers = [];
    for (const [bytes, what] of faults) {
      const peer = await server.connect(protocol);
      peer.write(bytes);
      peers.push({ peer, what });
    }
    await server.when(({ asked }) => asked === 7);
    for (const { peer, what } of peers) if (what === 'leaves') peer.socket.resetAndDestroy();
    // of heads, bodies, applications, kept connections, and of what lingers: all of their clocks
    for (let i = 0; i < 30; i++) await server.advance(5000);
    const { timers, running, aborted } = await server.when(({ connections }) => connections === 0);
    expect({ timers, running }).toEqual({ timers: 0, running: 0 });
    expect(aborted).toBeGreaterThanOrEqual(6);
    for (const { peer } of peers) peer.socket.destroy();
    await until(
      () => server.descriptors(),
      (count) => count === before,
    );
    expect((await server.probe(protocol)).status).toBe(200);
  });
});
