import { describe, expect, it } from '@jest/globals';
import { begin, hex, pairs, params, plainGet, record, stdin } from '@postern/testkit';
import { head, open, post, receive, summary, whole } from './driving.ts';
import { server } from './serving.ts';

describe('a body that nobody takes', () => {
  it('stops the reading at bodyHighWater, and pull starts it again', () => {
    const connection = server({ bodyHighWater: 16 });
    receive(connection, post(1, 80));
    const body = Buffer.concat(Array.from({ length: 10 }, (_, i) => stdin(String(i).repeat(8))));
    expect(summary(receive(connection, body))).toEqual(['1 data 00000000', '1 data 11111111']);
    expect(connection.wantsRead).toBe(false);
    expect(receive(connection)).toEqual([]);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    expect(summary(receive(connection))).toEqual(['1 data 22222222', '1 data 33333333']);
    connection.pull(9);
    expect(connection.wantsRead).toBe(false);
  });

  it('is handed out up to bodyHighWater exactly', () => {
    for (const [size, wantsRead] of [
      [15, true],
      [16, true],
      [17, false],
    ] as const) {
      const connection = server({ bodyHighWater: 16 });
      receive(connection, post(1, 80), ...Array.from({ length: size }, () => stdin('x')));
      expect([size, connection.wantsRead]).toEqual([size, wantsRead]);
    }
  });

  it('is thrown away once its request is answered, and what comes behind it is served', () => {
    const connection = server({ bodyHighWater: 16 });
    receive(connection, post(1, 80), ...Array.from({ length: 10 }, () => stdin('x'.repeat(8))), stdin('', 1), open(2));
    expect(connection.wantsRead).toBe(false);
    whole(connection);
    expect(connection.wantsRead).toBe(true);
    expect(summary(receive(connection))).toEqual(['2 request']);
  });

  it('waits for pull also behind the FIN of a peer that half-closes', () => {
    const connection = server({ bodyHighWater: 16 }, { halfCloseServes: true });
    receive(connection, post(1, 24), ...Array.from({ length: 3 }, () => stdin('x'.repeat(8))), stdin());
    connection.receiveEnd();
    expect(receive(connection)).toEqual([]);
    connection.pull(1);
    expect(summary(receive(connection))).toEqual(['1 data xxxxxxxx', '1 end']);
    whole(connection);
    expect(connection.wantsClose).toBe('fin');
  });

  it('early STDIN is counted once', () => {
    const connection = server({ bodyHighWater: 16 });
    const variables = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '24' });
    const events = receive(
      connection,
      begin(),
      stdin('x'.repeat(10)),
      params(variables),
      params(),
      stdin('y'.repeat(10)),
      stdin('z'),
    );
    expect(summary(events)).toEqual(['1 request', '1 data xxxxxxxxxx', '1 data yyyyyyyyyy']);
  });
});

describe('a body that nobody waits for', () => {
  it('brings no events once the reply has ended, though it has not gone out', () => {
    for (const end of [[], [stdin()]]) {
      const connection = server();
      receive(connection, post(1, 9));
      head(connection);
      connection.send({ type: 'end', id: 1 });
      expect(receive(connection, stdin('abc'), ...end)).toEqual([]);
    }
    const open = server();
    receive(open, post(1));
    head(open);
    open.send({ type: 'end', id: 1 });
    expect(receive(open, stdin())).toEqual([]);
  });

  it('brings no events once the request is refused, though that was not answered yet', () => {
    const connection = server();
    connection.receive(Buffer.concat([begin(), params(hex('00 00')), params(), stdin('abc'), stdin()]));
    expect(() => connection.next()).toThrow(expect.objectContaining({ code: 'ERR_ENV_NAME', id: 1 }));
    expect(connection.next()).toBeUndefined();
  });

  it('was whole, without a stated length, when the peer half-closes: its request is served', () => {
    const connection = server({}, { halfCloseServes: true });
    receive(connection, post(1), stdin('abc'), stdin());
    connection.receiveEnd();
    expect(receive(connection)).toEqual([]);
    expect(connection.wantsClose).toBe(false);
  });
});

describe('a request that the web server gave up', () => {
  it('is told so, and how', () => {
    const connection = server();
    expect(receive(connection, open(1), record(2, 1))).toMatchObject([
      { type: 'request' },
      { type: 'abort', error: { code: 'ERR_ABORTED', message: 'the web server aborted the request' } },
    ]);
    receive(connection, open(2));
    connection.receiveEnd();
    expect(receive(connection)).toMatchObject([
      { type: 'abort', error: { code: 'ERR_ABORTED', message: 'the web server closed the connection' } },
    ]);
  });
});
