import { afterEach, expect, it, jest } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { Server } from '@postern/server';
import { plainGet, request } from '@postern/testkit';
import { FakeClock } from '../../../packages/server/test/support/fake-clock.ts';
import { connectTo } from '../../../packages/server/test/support/peer.ts';
import { atEnd } from '../../../packages/server/test/support/serving.ts';
import { type SomeLimits, served } from './limited.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

interface Logging {
  readonly server: Server;
  readonly clock: FakeClock;
  /** Lets an application fail so many times with this message, and gives what went to stderr. */
  fail(times: number, message?: string): Promise<string[]>;
  said(): string[];
}

async function logging(limits: SomeLimits = {}): Promise<Logging> {
  const written = jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const clock = new FakeClock();
  let text = '';
  const failing = (): never => {
    throw Object.assign(new Error(text), { stack: `Error: ${text}` });
  };
  const server = new Server(failing, { limits: limitsWith(limits), clock });
  atEnd(() => server.close(0));
  const address = await server.listen(served.fastcgi, { transport: 'tcp', host: '127.0.0.1', port: 0 });
  const said = (): string[] => {
    const lines = written.mock.calls.map(([line]) => String(line));
    written.mockClear();
    return lines;
  };
  return {
    server,
    clock,
    said,
    async fail(times, message = 'broken') {
      text = message;
      const peer = await connectTo(address);
      for (let i = 1; i <= times; i++) {
        peer.write(request(plainGet, { flags: 1 }));
        await peer.replies(i);
      }
      peer.socket.destroy();
      return said();
    },
  };
}

it('L28: 20 lines of one kind in a second go out, the rest are counted in one more', async () => {
  for (const count of [19, 20]) {
    const { server, clock, fail, said } = await logging();
    expect(await fail(count)).toHaveLength(count);
    clock.advance(2000);
    expect(said()).toEqual([]);
    expect(server.stats().limits.maxLogLines).toBe(0);
  }
  const { server, clock, fail, said } = await logging();
  expect(await fail(200)).toHaveLength(20);
  expect(server.stats().limits.maxLogLines).toBe(180);
  clock.advance(1000);
  expect(said()).toEqual(['warn event=limit rule=ERR_APP_ERROR 180 more lines of this kind within a second\n']);
  expect(await fail(21)).toHaveLength(20);
  clock.advance(5000);
  expect(said()).toEqual(['warn event=limit rule=ERR_APP_ERROR 1 more lines of this kind within a second\n']);
});

it('L28: kinds are counted apart', async () => {
  const { fail, server, said } = await logging({ maxLogLines: 3 });
  expect(await fail(10)).toHaveLength(3);
  server.log({
    level: 'warn',
    event: 'timeout',
    code: 'ERR_TIMEOUT_APP',
    message: 'late',
    protocol: 'scgi',
    peer: 'x',
  });
  expect(said()).toEqual(['warn event=timeout proto=scgi rule=ERR_TIMEOUT_APP peer=x late\n']);
});

it('L28: a line of 4096 bytes goes out whole, the rest of a longer one is counted', async () => {
  const { server, fail } = await logging();
  const front = 'ERR_APP_ERROR: GET / Error: '.length;
  for (const bytes of [4095, 4096]) {
    const [line] = await fail(1, 'x'.repeat(bytes - front));
    expect(line.length).toBe(bytes + 1);
    expect(line.endsWith('x\n')).toBe(true);
  }
  expect(server.stats().limits.maxLogLineBytes).toBe(0);
  const [line] = await fail(1, 'x'.repeat(4097 - front));
  expect(line.endsWith('x [1 bytes dropped]\n')).toBe(true);
  const [long] = await fail(1, 'x'.repeat(1_000_000));
  expect(long.length).toBeLessThan(4200);
  expect(server.stats().limits.maxLogLineBytes).toBe(2);
});

it('L28: a message of many lines is cut too', async () => {
  const { fail } = await logging();
  const [text] = await fail(1, 'line\n'.repeat(100_000));
  expect(text.split('\n').length).toBeLessThan(110);
  expect(text).toMatch(/\[99\d\d\d lines dropped\]\n$/);
});
