import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ajp } from '@postern/ajp';
import { environHandler, type Protocol } from '@postern/core';
import { scgi } from '@postern/scgi';
import { Server } from '@postern/server';
import type { ConnectTarget } from '../src/index.ts';
import { cleanUp, END, played, record, STDOUT, scripted, soon, whole } from './back-ends.ts';
import { bodyOf, closeSessions, codeOf, GET, open } from './sessions.ts';

const servers: Server[] = [];
afterEach(async () => {
  closeSessions();
  for (const server of servers.splice(0)) await server.close(0);
  await cleanUp();
});

describe('a session with a back-end that takes one request at a time', () => {
  it.each<[string, Buffer]>([
    ['says so', record(10, '\x0f\x01FCGI_MPXS_CONNS0')],
    ['does not know the question', record(11, '\x09\0\0\0\0\0\0\0')],
  ])('because it %s: asks one after the other, on one connection', async (_, values) => {
    const ids: number[] = [];
    let connections = 0;
    values.writeUInt16BE(0, 2);
    const target = await scripted((socket) => {
      let asked = false;
      socket.on('data', (chunk) => {
        if (chunk[1] === 9) socket.write(values);
        else {
          if (!asked) connections++;
          asked = true;
          ids.push(chunk.readUInt16BE(2));
          socket.write(Buffer.concat([record(STDOUT, `Status: 200\r\n\r\n${ids.length}`), END]));
        }
      });
    });
    const session = open(target);
    expect(await Promise.all([1, 2, 3].map(() => bodyOf(session.request(GET))))).toEqual(['1', '2', '3']);
    expect([connections, ids]).toEqual([1, [1, 1, 1]]);
  });

  it('cuts the connection of a request that is given up, and opens another one', async () => {
    const back = await played((id, send) => {
      if (back.requests.length > 1) send(whole(id));
    });
    const session = open(back.target, { atOnce: 1 });
    const controller = new AbortController();
    const given = codeOf(session.request({ ...GET, signal: controller.signal }));
    const queued = new AbortController();
    const neverSent = codeOf(session.request({ ...GET, signal: queued.signal }));
    const next = bodyOf(session.request(GET));
    await soon(() => back.requests.length === 1);
    queued.abort();
    expect(await neverSent).toBe('ERR_ABORTED');
    controller.abort();
    expect(await given).toBe('ERR_ABORTED');
    expect(await next).toBe('1');
    expect(back.requests.map(({ connection }) => connection)).toEqual([0, 1]);
  });

  it('gives up an answer that is not read for its timeout, while others wait for their turn', async () => {
    const back = await played((id, send) => {
      if (back.requests.length > 1) send(whole(id, 'second'));
      else {
        send({ type: 'head', id, status: 200, reason: 'OK', headers: [] });
        send({ type: 'data', id, chunk: Buffer.alloc(1_000_000) });
      }
    });
    const session = open(back.target, { atOnce: 1 });
    const unread = await session.request({ ...GET, timeout: 100 });
    expect(await bodyOf(session.request(GET))).toBe('second');
    expect(await codeOf(text(unread.body))).toBe('ERR_TIMEOUT_READ');
  });

  it('tries again after a time whether connections are kept, with a request that may be sent twice', async () => {
    const now = jest.spyOn(performance, 'now');
    now.mockReturnValue(0);
    let hasty = true;
    const keeps: string[] = [];
    let connections = 0;
    let ends = 0;
    let ending = 0;
    const target = await scripted((socket) => {
      const place = ++connections;
      socket.on('data', (chunk) => {
        keeps.push(`${place} ${chunk[10]}`);
        const answer = Buffer.concat([record(STDOUT, 'Status: 200\r\n\r\nx'), END]);
        if (hasty || chunk[10] === 0) {
          ending++;
          socket.end(answer);
        } else socket.write(answer);
      });
      socket.on('end', () => {
        ends++;
        socket.end();
      });
    });
    const session = open(target, { atOnce: 1 });
    const asks = async (count: number, method = 'GET'): Promise<string[]> => {
      keeps.length = 0;
      for (let i = 0; i < count; i++) {
        expect(await bodyOf(session.request({ variables: ['REQUEST_METHOD', method] }))).toBe('x');
        // the client has seen that the back-end closed
        await soon(() => ends >= ending);
      }
      return [...keeps];
    };
    try {
      expect(await asks(2)).toEqual(['1 1', '2 0']);
      now.mockReturnValue(59_999);
      expect(await asks(1)).toEqual(['3 0']);
      now.mockReturnValue(60_000);
      // still so: the pause is twice as long then
      expect(await asks(2)).toEqual(['4 1', '5 0']);
      hasty = false;
      now.mockReturnValue(179_999);
      expect(await asks(1)).toEqual(['6 0']);
      now.mockReturnValue(180_000);
      expect(await asks(2, 'POST')).toEqual(['7 1', '8 1']);
      expect(await asks(2)).toEqual(['8 1', '8 1']);
      expect(await asks(2, 'POST')).toEqual(['8 1', '8 1']);
    } finally {
      now.mockRestore();
    }
  });

  it.each([scgi, ajp])('sends nothing of a request of $name whose body is longer than it says', async (protocol) => {
    const got: Buffer[] = [];
    let closes = 0;
    const target = await scripted((socket) => {
      socket.on('data', (chunk) => got.push(chunk));
      socket.on('close', () => closes++);
      socket.on('end', () => socket.end());
    });
    const session = open(target, {}, protocol);
    const variables = ['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/', 'CONTENT_LENGTH', '1'];
    expect(await codeOf(session.request({ variables, body: Buffer.from('long') }))).toBe('ERR_BODY_LONG');
    await soon(() => closes === 1);
    expect(got).toEqual([]);
  });

  it('opens another connection when the back-end has closed the kept one', async () => {
    const back = await played((id, send) => send(whole(id, `${back.connections.length}`)));
    const session = open(back.target, { atOnce: 1 });
    expect(await bodyOf(session.request(GET))).toBe('1');
    const closed = new Promise((resolve) => back.connections[0].socket.once('close', resolve));
    back.connections[0].socket.end();
    await closed;
    expect(await bodyOf(session.request(GET))).toBe('2');
  });

  it('asks on a connection each, where the back-end closes behind every answer whatever it is told', async () => {
    const keeps: number[] = [];
    const target = await scripted((socket) => {
      socket.once('data', (chunk) => {
        keeps.push(chunk[10]);
        socket.end(Buffer.concat([record(STDOUT, 'Status: 200\r\n\r\nx'), END]));
      });
    });
    const session = open(target, { atOnce: 1 });
    for (let i = 0; i < 3; i++) expect(await bodyOf(session.request(GET))).toBe('x');
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('y');
    }
    const post = { variables: ['REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', '1'], body: pieces() };
    expect(await Promise.all([bodyOf(session.request(post)), bodyOf(session.request(GET))])).toEqual(['x', 'x']);
    expect(keeps).toEqual([1, 0, 0, 0, 0]);
  });

  it.each([
    ['GET', undefined, 'sent again, on a new connection'],
    ['PUT', Buffer.from('y'), 'sent again, on a new connection'],
    ['POST', Buffer.from('y'), 'failed'],
    ['PUT', 'stream', 'failed'],
  ])('a %s is, where the kept connection breaks before anything of its answer came', async (method, body, outcome) => {
    const back = await played((id, send, socket) => {
      if (back.requests.length === 2) socket.resetAndDestroy();
      else send(whole(id, `on ${back.connections.length}`));
    });
    const session = open(back.target, { atOnce: 1 });
    expect(await bodyOf(session.request(GET))).toBe('on 1');
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('y');
    }
    const variables = ['REQUEST_METHOD', method, 'CONTENT_LENGTH', body === undefined ? '0' : '1'];
    const asked = session.request({ variables, body: body === 'stream' ? stream() : (body as Buffer | undefined) });
    if (outcome === 'failed') expect(await codeOf(asked)).toBe('ERR_REPLY');
    else expect(await bodyOf(asked)).toBe('on 2');
    expect(back.requests).toHaveLength(outcome === 'failed' ? 2 : 3);
  });

  it('does not send again what breaks on a connection that has carried no answer', async () => {
    const back = await played((_, __, socket) => socket.resetAndDestroy());
    const session = open(back.target, { atOnce: 1 });
    expect(await codeOf(session.request(GET))).toBe('ERR_REPLY');
    expect(back.requests).toHaveLength(1);
  });

  it.each<[string, Protocol, number]>([
    ['SCGI', scgi, 3],
    ['AJP', ajp, 1],
  ])('because of its protocol, %s, keeps the connection where that is possible', async (_, protocol, connections) => {
    let accepted = 0;
    const server = new Server(
      environHandler((environ) => ({ status: 200, body: environ.QUERY_STRING })),
      { log: () => {} },
    );
    servers.push(server);
    const inner = (await server.listen(protocol, { transport: 'tcp', host: '127.0.0.1', port: 0 })) as ConnectTarget;
    const { connect } = await import('node:net');
    const target = await scripted((socket) => {
      accepted++;
      const through = connect(inner as { host: string; port: number });
      through.on('error', () => {});
      socket.pipe(through).pipe(socket);
    });
    const session = open(target, {}, protocol);
    const asked = ['a', 'b', 'c'].map((query) =>
      bodyOf(
        session.request({ variables: ['REQUEST_METHOD', 'GET', 'REQUEST_URI', `/?${query}`, 'QUERY_STRING', query] }),
      ),
    );
    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c']);
    expect(accepted).toBe(connections);
  });
});
