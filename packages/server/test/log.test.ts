import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { LocalProtocolError } from '@postern/core';
import { plainGet, request } from '@postern/testkit';
import { errorToStderr, type LogEntry, logToStderr, PeerLog, peerName } from '../src/log.ts';
import { connectTo } from './support/peer.ts';
import { atEnd, serving, silent } from './support/serving.ts';

function printed(act: () => void): string {
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  act();
  const text = write.mock.calls.map(([line]) => String(line)).join('');
  write.mockRestore();
  return text;
}

const entry: LogEntry = {
  level: 'warn',
  event: 'protocol_error',
  code: 'ERR_FCGI_VERSION',
  message: 'it said "x"\n\u001b[31mred',
  protocol: 'fastcgi',
  peer: '192.0.2.1:1',
  id: 7,
};

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a connection that broke', () => {
  it('is told of where the system is short of memory, and not where the peer has left', () => {
    const logs: LogEntry[] = [];
    const log = new PeerLog({ log: (one) => logs.push(one), notice: () => {} }, 'scgi', {} as Socket);
    for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOBUFS', 'ENOMEM'])
      log.broken(Object.assign(new Error(`write ${code}`), { code }));
    const told = { level: 'warn', event: 'limit', code: 'ERR_ABORTED', protocol: 'scgi', peer: 'unix' };
    expect(logs).toEqual(
      ['ENOBUFS', 'ENOMEM'].map((code) => ({
        ...told,
        message: `the system has no memory for this connection (write ${code})`,
      })),
    );
  });
});

describe('logToStderr', () => {
  it('prints one line whose bytes are safe', () => {
    expect(printed(() => logToStderr(entry))).toBe(
      'warn event=protocol_error proto=fastcgi rule=ERR_FCGI_VERSION peer=192.0.2.1:1 id=7 it said \\x22x\\x22\\x0a\\x1b[31mred\n',
    );
  });

  it('leaves out what is no warning, and an id that there is not', () => {
    expect(printed(() => logToStderr({ ...entry, level: 'info' }))).toBe('');
    const { id, ...rest } = entry;
    expect(id).toBe(7);
    expect(printed(() => logToStderr(rest))).not.toContain('id=');
  });
});

describe('errorToStderr', () => {
  it('prints the code, the request and the stack', async () => {
    const all = await serving(silent);
    const peer = await all.connect();
    peer.write(request({ ...plainGet, REQUEST_URI: '/a"b' }, { flags: 1 }));
    const exchange = await all.asked();
    const text = printed(() => errorToStderr(new Error('broken'), exchange));
    expect(text).toMatch(/^ERR_APP_ERROR: GET \/a\\x22b Error: broken\n {8}at /);
    expect(text.endsWith('\n')).toBe(true);
  });

  it("prints postern's own codes", () => {
    expect(printed(() => errorToStderr(new LocalProtocolError('ERR_STATUS', 'status 1'), undefined))).toMatch(
      /^ERR_STATUS: LocalProtocolError: status 1\n/,
    );
  });

  it('does not let a message pose as a line of the log, or steer a terminal', () => {
    const error = new Error('x\nwarn event=forged\r\u001b[2J\u009b');
    const text = printed(() => errorToStderr(error, undefined));
    expect(text).not.toMatch(/^warn/m);
    expect(text).not.toMatch(/[\r\u001b\u009b]/);
  });

  it.each([
    ['text', 'just text', 'just text'],
    ['undefined', undefined, 'undefined'],
    ['an object without a prototype', Object.create(null), 'an error that cannot be told'],
    [
      'an error whose stack throws',
      Object.defineProperty(new Error('x'), 'stack', {
        get() {
          throw new Error('no');
        },
      }),
      'an error that cannot be told',
    ],
  ])('prints %s too', (_, error, text) => {
    expect(printed(() => errorToStderr(error, undefined))).toContain(text);
  });
});

describe('peerName', () => {
  it.each([
    ['127.0.0.1', /^127\.0\.0\.1:\d+$/],
    ['::1', /^\[::1\]:\d+$/],
  ])('names a peer of %s', async (host, name) => {
    const server = createServer();
    const accepted = new Promise<Socket>((resolve) => server.on('connection', resolve));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    atEnd(() => server.close());
    const { port } = server.address() as { port: number };
    const peer = await connectTo({ host, port });
    const socket = await accepted;
    expect(peerName(socket)).toMatch(name);
    socket.destroy();
    peer.socket.destroy();
  });
});
