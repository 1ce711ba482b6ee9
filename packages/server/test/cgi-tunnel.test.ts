import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { Exchange, Tunnel } from '@postern/core';
import { until } from '@postern/testkit';
import { CgiRequest } from '../src/cgi.ts';
import type { LogEntry } from '../src/log.ts';
import { FakeClock } from './support/fake-clock.ts';

/** As lighttpd sends it with cgi.upgrade. */
const asking = {
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/chat',
  CONTENT_LENGTH: '0',
  SERVER_SOFTWARE: 'lighttpd/1.4.69',
  HTTP_UPGRADE: 'echo',
  HTTP_CONNECTION: 'Upgrade',
};
const SWITCHED = 'Status: 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';

interface Cgi {
  readonly request: CgiRequest;
  readonly tunnel: Tunnel | undefined;
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly logs: LogEntry[];
  output(): string;
}

/** A CGI process that is none, whose application takes the upgrade. */
function cgi(more: Record<string, string> = {}): Cgi {
  const stdin = new PassThrough();
  const stdout = new PassThrough({ highWaterMark: 10_000_000 });
  const logs: LogEntry[] = [];
  let tunnel: Tunnel | undefined;
  const take = (exchange: Exchange): void => {
    tunnel = exchange.upgrade(101, []);
  };
  const request = new CgiRequest(take, {
    environment: Object.entries({ ...asking, ...more }).flat(),
    stdin: () => stdin,
    stdout,
    clock: new FakeClock(),
    log: (entry) => logs.push(entry),
  });
  let text = '';
  stdout.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  return { request, tunnel, stdin, stdout, logs, output: () => text };
}

describe('a tunnel of a CGI process', () => {
  it('carries stdin and stdout raw behind a 101, and ends with stdin', async () => {
    const { request, tunnel, stdin, output } = cgi();
    tunnel?.on('data', (chunk) => tunnel.write(`<${chunk}>`));
    tunnel?.on('end', () => tunnel.end('bye'));
    stdin.write('one');
    await until(output, (text) => text === `${SWITCHED}<one>`);
    stdin.end('two');
    expect(await request.done).toBe(true);
    expect(output()).toBe(`${SWITCHED}<one><two>bye`);
  });

  it('ends with what the application writes, though stdin does not', async () => {
    const { request, tunnel, output } = cgi();
    tunnel?.resume();
    tunnel?.end('last');
    expect(await request.done).toBe(true);
    expect(output()).toBe(`${SWITCHED}last`);
    expect(tunnel?.readableEnded).toBe(true);
  });

  it('breaks when the web server gives it up', async () => {
    const { request, tunnel } = cgi();
    const [error] = await Promise.all([once(tunnel as Tunnel, 'error'), request.giveUp()]);
    expect(error).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(await request.done).toBe(false);
  });

  it('breaks when nobody reads stdout any more', async () => {
    const { request, tunnel, stdout } = cgi();
    stdout.destroy(new Error('EPIPE'));
    const [error] = await once(tunnel as Tunnel, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(await request.done).toBe(true);
  });

  it('is a 501 where the web server does not carry it, and the log says what is missing', async () => {
    const { request, tunnel, output, logs } = cgi({ SERVER_SOFTWARE: 'Apache/2.4.71' });
    expect(tunnel).toBeUndefined();
    expect(await request.done).toBe(true);
    expect(output()).toMatch(/^Status: 501 Not Implemented\r\n/);
    expect(logs).toMatchObject([{ code: 'ERR_UPGRADE', message: expect.stringContaining('ProxyPass') }]);
  });
});
