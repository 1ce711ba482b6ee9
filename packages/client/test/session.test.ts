import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigError, limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { Session } from '../src/index.ts';
import { cleanUp, END, played, record, STDOUT, scripted, serveApp, soon, whole } from './back-ends.ts';
import { bodyOf, closeSessions, codeOf, GET, open } from './sessions.ts';

afterEach(async () => {
  closeSessions();
  await cleanUp();
});

describe('a session with a back-end that takes several requests at once', () => {
  it('sends them at once over one connection, and each has its own answer', async () => {
    const back = await played(() => {});
    const session = open(back.target);
    const bodies = Array.from({ length: 20 }, () => bodyOf(session.request(GET)));
    await soon(() => back.requests.length === 20);
    expect(back.connections).toHaveLength(1);
    expect(back.requests.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (const { id } of back.requests.toReversed()) back.connections[0].send(whole(id));
    expect(await Promise.all(bodies)).toEqual(back.requests.map(({ id }) => String(id)));
  });

  it.each([
    ['that the back-end tells', {}, { maxConcurrentPerConnection: 3 }],
    ['that it is told', { atOnce: 3 }, {}],
    ['of its own limits', { atOnce: 50, limits: limitsWith({ maxConcurrentPerConnection: 3 }) }, {}],
  ])('sends no more at once than the number %s; the others wait', async (_, options, limits) => {
    const back = await played(() => {}, limits);
    const session = open(back.target, options);
    const bodies = Array.from({ length: 8 }, () => bodyOf(session.request(GET)));
    const ids = (): number[] => back.requests.map(({ id }) => id);
    await soon(() => back.requests.length === 3);
    back.connections[0].send(whole(2, 'two'));
    expect(await bodies[1]).toBe('two');
    await soon(() => back.requests.length === 4);
    expect(ids()).toEqual([1, 2, 3, 2]);
    back.connections[0].send(whole(3), whole(1), whole(2));
    await soon(() => back.requests.length === 7);
    for (const id of ids().slice(4)) back.connections[0].send(whole(id));
    await soon(() => back.requests.length === 8);
    back.connections[0].send(whole(ids()[7]));
    expect((await Promise.all(bodies)).every((body) => body !== '')).toBe(true);
    expect(back.connections).toHaveLength(1);
  });

  it('sends bodies of 3 MB at once, and gets them back', async () => {
    const { target } = await serveApp((environ) => ({ status: 200, body: environ['gateway.input'] }));
    const session = open(target);
    const sizes = [3_000_000, 10, 3_000_000, 0, 500_000];
    const bodies = sizes.map((size, i) => {
      const body = Buffer.alloc(size, `piece ${i} `);
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < size; at += 70_000) yield body.subarray(at, at + 70_000);
      };
      const variables = ['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/', 'CONTENT_LENGTH', String(size)];
      return bodyOf(session.request({ variables, body: i % 2 === 0 ? pieces() : body }));
    });
    const heard = await Promise.all(bodies);
    expect(heard.map((body, i) => body === Buffer.alloc(sizes[i], `piece ${i} `).toString())).toEqual(
      sizes.map(() => true),
    );
  });

  it('gives one up by its signal, which aborts it alone, and goes on over the same connection', async () => {
    const back = await played(() => {});
    const session = open(back.target);
    const controller = new AbortController();
    const given = codeOf(session.request({ ...GET, signal: controller.signal }));
    const other = bodyOf(session.request(GET));
    await soon(() => back.requests.length === 2);
    controller.abort();
    expect(await given).toBe('ERR_ABORTED');
    await soon(() => back.aborts.length === 1);
    expect(back.aborts).toEqual([1]);
    back.connections[0].send(whole(2, 'other'));
    expect(await other).toBe('other');
    const third = bodyOf(session.request(GET));
    await soon(() => back.requests.length === 3);
    expect(back.requests[2]).toMatchObject({ connection: 0, id: 1 });
    back.connections[0].send(whole(1, 'third'));
    expect(await third).toBe('third');
  });

  it('gives one up in its body, by leaving the loop, and goes on over the same connection', async () => {
    const back = await played((id, send) => {
      send({ type: 'head', id, status: 200, reason: 'OK', headers: [] }, { type: 'data', id, chunk: `${id}` });
    });
    const session = open(back.target);
    const [first, second] = await Promise.all([session.request(GET), session.request(GET)]);
    for await (const _ of first.body) break;
    await soon(() => back.aborts.length === 1);
    back.connections[0].send({ type: 'end', id: 2 });
    expect(await text(second.body)).toBe('2');
    expect((await session.request(GET)).status).toBe(200);
    expect(back.connections).toHaveLength(1);
  });

  it('has errors of one request that do not touch the others', async () => {
    const refuse = (id: number, status: number): Buffer => {
      const bytes = Buffer.from([1, 3, 0, id, 0, 8, 0, 0, 0, 0, 0, 0, status, 0, 0, 0]);
      return bytes;
    };
    const back = await played((id, _, socket) => {
      if (id === 2) socket.write(refuse(2, 2));
      if (id === 3) socket.write(Buffer.from([...[1, 6, 0, 3, 0, 4, 0, 0], ...Buffer.from('x\n\n.')]));
    });
    const session = open(back.target);
    const answers = [1, 2, 3].map(() => session.request(GET));
    expect(await codeOf(answers[1])).toBe('ERR_BACKEND_BUSY');
    expect(await codeOf(answers[2])).toBe('ERR_REPLY');
    await soon(() => back.aborts.length === 1);
    back.connections[0].send(whole(1));
    expect(await bodyOf(answers[0])).toBe('1');
    const next = session.request(GET);
    await soon(() => back.requests.length === 4);
    back.connections[0].send(whole(back.requests[3].id, 'next'));
    expect(await bodyOf(next)).toBe('next');
    expect(back.connections).toHaveLength(1);
  });

  it('has one that cannot be sent, which the others do not see', async () => {
    const back = await played((id, send) => send(whole(id)));
    const session = open(back.target);
    const answers = [GET, { variables: ['A', '\u20ac'] }, { ...GET, data: Buffer.from('x') }, GET];
    const [first, second, third, fourth] = answers.map((question) => session.request(question));
    expect(await codeOf(second)).toBe('ERR_ENV_VALUE');
    expect(await codeOf(third)).toBe('ERR_PROTOCOL_LACKS');
    expect([await bodyOf(first), await bodyOf(fourth)]).toEqual(['1', '2']);
    expect(await codeOf(session.request({ ...GET, role: 'authorizer', body: Buffer.from('x') }))).toBe(
      'ERR_PROTOCOL_LACKS',
    );
    expect(await bodyOf(session.request(GET))).toMatch(/^[12]$/);
    expect(back.connections).toHaveLength(1);
  });

  it('fails all that run when the connection breaks, and opens another one for the next', async () => {
    const back = await played((id, send) => {
      if (id === 3) send(whole(3));
      if (id === 4) send({ type: 'head', id, status: 200, reason: 'OK', headers: ['Content-Length', '0'] });
    });
    const session = open(back.target, { atOnce: 10 });
    const [first, second, third, fourth] = [1, 2, 3, 4].map(() => session.request(GET));
    expect(await bodyOf(third)).toBe('3');
    const whole4 = await fourth;
    back.connections[0].socket.resetAndDestroy();
    expect(await Promise.all([first, second].map(codeOf))).toEqual(['ERR_REPLY', 'ERR_REPLY']);
    expect(await text(whole4.body)).toBe('');
    const next = session.request(GET);
    await soon(() => back.requests.length === 5);
    expect(back.requests[4]).toMatchObject({ connection: 1, id: 1 });
    back.connections[1].send(whole(1, 'again'));
    expect(await bodyOf(next)).toBe('again');
  });

  it('reads others while one answer is not read', async () => {
    const { target } = await serveApp(() => ({ status: 200, body: 'x'.repeat(150_000) }));
    const session = open(target);
    const unread = await session.request(GET);
    for (let i = 0; i < 10; i++) expect(await bodyOf(session.request(GET))).toHaveLength(150_000);
    expect(await text(unread.body)).toHaveLength(150_000);
  });

  it('gives one up that is not read for its timeout, and so keeps others waiting', async () => {
    const { target } = await serveApp(() => ({ status: 200, body: Buffer.alloc(2_000_000, 'x') }));
    const session = open(target);
    const unread = await session.request({ ...GET, timeout: 100 });
    expect(await bodyOf(session.request(GET))).toHaveLength(2_000_000);
    expect(await codeOf(text(unread.body))).toBe('ERR_TIMEOUT_READ');
  });
});

describe('a session and a filter', () => {
  const filter = { ...GET, role: 'filter', data: Buffer.alloc(5_000_000) } as const;

  it('that does not read its file: the others go on, for it has a connection of its own', async () => {
    const connections: number[] = [];
    const target = await scripted((socket) => {
      const place = connections.push(0) - 1;
      socket.on('data', (chunk) => {
        if (connections[place]++ > 0) return;
        const [role, id] = [chunk[9], chunk.readUInt16BE(2)];
        if (role === 3) socket.pause();
        else {
          const reply = Buffer.concat([record(STDOUT, 'Status: 200\r\n\r\nx'), END]);
          for (const at of [0, reply.length - END.length]) reply.writeUInt16BE(id, at + 2);
          socket.write(reply);
          connections[place] = 0;
        }
      });
    });
    const session = open(target, { atOnce: 10 });
    const filtered = codeOf(session.request({ ...filter, timeout: 500 }));
    for (let i = 0; i < 3; i++) expect(await bodyOf(session.request(GET))).toBe('x');
    expect(connections).toHaveLength(2);
    expect(await filtered).toBe('ERR_TIMEOUT_REPLY');
  });
});

describe('a session that learns of its back-end', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('asks one that was busy again, and then goes by its answer', async () => {
    const now = jest.spyOn(performance, 'now');
    now.mockReturnValue(0);
    const real = await played(() => {});
    let busy = true;
    let asked = 0;
    const target = await scripted((socket) => {
      const through = connect(real.target as { port: number; host: string });
      through.on('error', () => {});
      through.pipe(socket);
      socket.on('close', () => through.destroy());
      socket.on('data', (chunk) => {
        const question = chunk[1] === 9;
        if (question) asked++;
        if (question && busy) socket.destroy();
        else through.write(chunk);
      });
    });
    const session = open(target);
    const bodies = [1, 2, 3, 4].map(() => bodyOf(session.request(GET)));
    await soon(() => real.requests.length === 1);
    busy = false;
    now.mockReturnValue(59_999);
    bodies.push(bodyOf(session.request(GET)));
    expect(asked).toBe(1);
    now.mockReturnValue(60_000);
    bodies.push(bodyOf(session.request(GET)));
    await soon(() => real.requests.length === 6);
    expect(real.requests.map(({ connection }) => connection)).toEqual([0, 1, 1, 1, 1, 1]);
    for (const { connection, id } of real.requests) real.connections[connection].send(whole(id, 'x'));
    expect(await Promise.all(bodies)).toEqual(Array.from({ length: 6 }, () => 'x'));
  });
});

describe('a session', () => {
  it('fails all that wait where it cannot connect, and tries again for the next', async () => {
    const target = await scripted(() => {});
    await cleanUp();
    const session = open(target);
    const codes = await Promise.all([1, 2].map(() => codeOf(session.request(GET))));
    expect(codes).toEqual(['ERR_ADDRESS_UNAVAILABLE', 'ERR_ADDRESS_UNAVAILABLE']);
    expect(await codeOf(session.request(GET))).toBe('ERR_ADDRESS_UNAVAILABLE');
  });

  it('that is closed takes no request, and lets those that were asked end', async () => {
    const back = await played(() => {});
    const session = open(back.target, { atOnce: 1 });
    const bodies = [1, 2].map(() => bodyOf(session.request(GET)));
    await soon(() => back.requests.length === 1);
    session.close();
    expect(await codeOf(session.request(GET))).toBe('ERR_REQUEST_STATE');
    back.connections[0].send(whole(1, 'one'));
    await soon(() => back.requests.length === 2);
    const closed = new Promise((resolve) => back.connections[0].socket.once('end', resolve));
    back.connections[0].send(whole(1, 'two'));
    expect(await Promise.all(bodies)).toEqual(['one', 'two']);
    await closed;
  });

  it('keeps a process alive only while a request runs', async () => {
    const back = await played(() => {});
    const { port } = back.target as { port: number };
    // Node lists those that keep the process alive; the other end of the connection is in this process too
    const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): { remotePort?: number }[] };
    const sockets = (): number => handles().filter(({ remotePort }) => remotePort === port).length;
    const session = open(back.target, { atOnce: 2 });
    for (let i = 0; i < 2; i++) {
      const body = bodyOf(session.request(GET));
      await soon(() => back.requests.length === i + 1);
      expect(sockets()).toBe(1);
      back.connections[0].send(whole(1));
      await body;
      expect(sockets()).toBe(0);
    }
  });

  it.each([0, -1, 1.5, Number.NaN])('is not made with atOnce %d', (atOnce) => {
    const target = { transport: 'unix', path: '/none' } as const;
    expect(() => new Session(fastcgi, target, { atOnce })).toThrow(ConfigError);
  });

  it('rejects a request whose signal has fired before', async () => {
    const session = open({ transport: 'unix', path: '/none' });
    expect(await codeOf(session.request({ ...GET, signal: AbortSignal.abort() }))).toBe('ERR_ABORTED');
  });
});
