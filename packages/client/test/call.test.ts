import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { fastcgi } from '@postern/fastcgi';
import { scgi } from '@postern/scgi';
import { type Ask, type ConnectTarget, request, Session } from '../src/index.ts';
import { cleanUp, END, played, record, STDOUT, scripted, soon, whole } from './back-ends.ts';

afterEach(cleanUp);

const GET = ['REQUEST_METHOD', 'GET'];
const POST = ['REQUEST_METHOD', 'POST', 'HTTP_TRANSFER_ENCODING', 'chunked'];

function ask(target: ConnectTarget, set: Partial<Ask> = {}): ReturnType<typeof request> {
  return request(fastcgi, target, { variables: GET, ...set });
}

/** How a promise was settled, once it was. */
function watch(promise: Promise<unknown>): { readonly outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'pending' };
  promise.then(
    () => {
      watched.outcome = 'fulfilled';
    },
    (error: { code: unknown }) => {
      watched.outcome = error.code;
    },
  );
  return watched;
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a back-end that is silent', () => {
  beforeEach(() => {
    jest.useFakeTimers({
      doNotFake: [
        ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
        ...(['setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] as const),
      ],
    });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    [undefined, 60_000],
    [200, 200],
  ])('fails the request (timeout %p), as a gateway says 504', async (timeout, milliseconds) => {
    const back = await played(() => {});
    const answer = ask(back.target, { timeout });
    const watched = watch(answer);
    await soon(() => back.requests.length === 1);
    jest.advanceTimersByTime(milliseconds - 1);
    await turns();
    expect(watched.outcome).toBe('pending');
    jest.advanceTimersByTime(1);
    await expect(answer).rejects.toMatchObject({
      ...{ name: 'RemoteProtocolError', code: 'ERR_TIMEOUT_REPLY', statusHint: 504 },
      message: `the back-end was silent for ${milliseconds} ms: see that the application runs, or give it more time`,
    });
  });

  it('may be so for ever with a timeout of 0', async () => {
    const back = await played(() => {});
    const answer = ask(back.target, { timeout: 0 });
    await soon(() => back.requests.length === 1);
    jest.advanceTimersByTime(100_000_000);
    await turns();
    back.connections[0].send(whole(1));
    expect((await answer).status).toBe(200);
  });

  it('between the pieces of its answer breaks the body off; each piece gives it time again', async () => {
    const back = await played((id, send) => send({ type: 'head', id, status: 200, reason: 'OK', headers: [] }));
    const { body } = await ask(back.target);
    const reader = body[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) {
      const next = reader.next();
      jest.advanceTimersByTime(59_000);
      back.connections[0].send({ type: 'data', id: 1, chunk: `${i}` });
      expect(Buffer.from((await next).value as Uint8Array).toString()).toBe(`${i}`);
    }
    const next = reader.next();
    jest.advanceTimersByTime(60_000);
    await expect(next).rejects.toMatchObject({ code: 'ERR_TIMEOUT_REPLY' });
  });

  it('has a reason while the body of the request is waited for', async () => {
    const back = await played(() => {});
    let give: (() => void) | undefined;
    async function* slow(): AsyncGenerator<Uint8Array> {
      await new Promise<void>((resolve) => {
        give = resolve;
      });
      yield Buffer.from('late');
    }
    const answer = ask(back.target, { variables: POST, body: slow() });
    const watched = watch(answer);
    await soon(() => back.requests.length === 1);
    jest.advanceTimersByTime(600_000);
    await turns();
    expect(watched.outcome).toBe('pending');
    give?.();
    await turns();
    jest.advanceTimersByTime(60_000);
    await expect(answer).rejects.toMatchObject({ code: 'ERR_TIMEOUT_REPLY' });
  });

  it('has a reason while its answer is not read', async () => {
    const back = await played((id, send) => send(whole(id, 'x'.repeat(60_000))));
    const { body } = await ask(back.target);
    await turns();
    jest.advanceTimersByTime(600_000);
    expect(await text(body)).toHaveLength(60_000);
  });

  it('writes to STDERR beyond its limit alone: that is silence', async () => {
    let flood = (): void => {};
    const target = await scripted((socket) => {
      flood = () => void socket.write(record(7, 'x'.repeat(1000)));
      socket.once('data', flood);
    });
    const log: string[] = [];
    const answer = ask(target, { limits: limitsWith({ maxStderrBytes: 10 }), onLog: (line) => log.push(line) });
    const watched = watch(answer);
    await soon(() => log.length === 1);
    jest.advanceTimersByTime(59_999);
    flood();
    await turns();
    expect(watched.outcome).toBe('pending');
    jest.advanceTimersByTime(1);
    await turns();
    expect(watched.outcome).toBe('ERR_TIMEOUT_REPLY');
  });

  it.each([
    ['HEAD', '', 'Content-Length: 100\r\n\r\nhello'],
    ['GET', 'hello', 'Content-Length: 5\r\n\r\nhello!'],
  ])('does not end its answer to %s, of which all has come and more: the reader has it', async (method, body, head) => {
    let more = (): void => {};
    let closed = false;
    const target = await scripted((socket) => {
      socket.on('end', () => {
        closed = true;
      });
      more = () => void socket.write(record(STDOUT, 'more'));
      socket.once('data', () => socket.write(record(STDOUT, `Status: 200\r\n${head}`)));
    });
    const answer = await ask(target, { variables: ['REQUEST_METHOD', method] });
    expect(await text(answer.body)).toBe(body);
    jest.advanceTimersByTime(59_999);
    more();
    await turns();
    expect(closed).toBe(false);
    jest.advanceTimersByTime(1);
    await soon(() => closed);
  });

  it('does not read the request: that is silence, whatever is left to send', async () => {
    let connected = false;
    const target = await scripted((socket) => {
      socket.pause();
      connected = true;
    });
    const answer = ask(target, { variables: POST, body: Buffer.alloc(50_000_000) });
    const watched = watch(answer);
    await soon(() => connected);
    await turns();
    // the first pieces go into the buffers of the system, and each gives it time again
    while (watched.outcome === 'pending') {
      jest.advanceTimersByTime(60_000);
      await turns();
    }
    expect(watched.outcome).toBe('ERR_TIMEOUT_REPLY');
  });
});

describe('an answer with more than its Content-Length', () => {
  it('is given up where there is no end of it', async () => {
    let closed = false;
    const target = await scripted((socket) => {
      const flood = (): void => {
        while (!closed && socket.write(record(STDOUT, 'x'.repeat(60_000))));
      };
      socket.on('drain', flood);
      socket.on('close', () => {
        closed = true;
      });
      socket.once('data', () => {
        socket.write(record(STDOUT, 'Content-Length: 5\r\n\r\nhello'));
        flood();
      });
    });
    expect(await text((await ask(target, { timeout: 0 })).body)).toBe('hello');
    await soon(() => closed);
  });

  it('leaves the connection as it is where it ends', async () => {
    const back = await played((id, send) => {
      const { length } = back.requests;
      send({ type: 'head', id, status: 200, reason: 'OK', headers: ['Content-Length', '1'] });
      send({ type: 'data', id, chunk: `${length}more` }, { type: 'end', id });
    });
    const session = new Session(fastcgi, back.target, { atOnce: 1 });
    for (let i = 1; i < 4; i++) expect(await text((await session.request({ variables: GET })).body)).toBe(`${i}`);
    expect(back.connections).toHaveLength(1);
    session.close();
  });
});

describe('a body in pieces', () => {
  it('that are text is refused, with what to write', async () => {
    async function* words(): AsyncGenerator<unknown> {
      yield 'text';
    }
    const back = await played(() => {});
    await expect(ask(back.target, { variables: POST, body: words() as never })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: 'a piece of a stream: a string: write Buffer.from(text)',
    });
  });

  it('of one byte in an answer cost the reader no step each', async () => {
    const count = 20_000;
    const target = await scripted((socket) => {
      socket.once('data', () => {
        const ones = Array.from({ length: count }, () => record(STDOUT, 'x'));
        socket.end(Buffer.concat([record(STDOUT, 'Status: 200\r\n\r\n'), ...ones, END]));
      });
    });
    const answer = await ask(target);
    await turns();
    const sizes: number[] = [];
    for await (const chunk of answer.body) {
      sizes.push(chunk.length);
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
    expect(sizes.length).toBeLessThan(count / 100);
  });
});

describe('a role', () => {
  it.each(['bytes', 'pieces'])('of a filter gets body and data as %s', async (how) => {
    const streams: [number, string][] = [];
    const target = await scripted((socket) => {
      let bytes = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        while (bytes.length >= 8) {
          const end = 8 + bytes.readUInt16BE(4) + bytes[6];
          if (bytes.length < end) return;
          streams.push([bytes[1], bytes.toString('latin1', 8, 8 + bytes.readUInt16BE(4))]);
          if (bytes[1] === 8 && bytes.readUInt16BE(4) === 0)
            socket.end(Buffer.concat([record(STDOUT, 'Status: 200\r\n\r\nok'), END]));
          bytes = bytes.subarray(end);
        }
      });
    });
    async function* pieces(...list: string[]): AsyncGenerator<Uint8Array> {
      for (const piece of list) yield Buffer.from(piece);
    }
    const streaming = how === 'pieces';
    const answer = await ask(target, {
      role: 'filter',
      variables: [...GET, 'FCGI_DATA_LENGTH', '4'],
      body: streaming ? pieces('bo', 'dy') : Buffer.from('body'),
      data: streaming ? pieces('da', 'ta') : Buffer.from('data'),
    });
    expect(await text(answer.body)).toBe('ok');
    const joined = (type: number): string =>
      streams.flatMap(([one, content]) => (one === type ? [content] : [])).join('');
    expect([joined(5), joined(8)]).toEqual(['body', 'data']);
    expect(streams.map(([type]) => type).join('')).toMatch(/^144+5+8+$/);
  });

  it.each<[string, Partial<Ask>]>([
    ['data without the role of a filter', { data: Buffer.from('x') }],
    ['data for an authorizer', { role: 'authorizer', data: Buffer.from('x') }],
    ['a body for an authorizer', { role: 'authorizer', body: Buffer.from('x') }],
  ])('is not asked with %s', async (_, set) => {
    const nowhere = { transport: 'unix', path: '/nowhere' } as const;
    await expect(ask(nowhere, set)).rejects.toMatchObject({ code: 'ERR_PROTOCOL_LACKS' });
  });

  it('is none of SCGI', async () => {
    const nowhere = { transport: 'unix', path: '/nowhere' } as const;
    const asked = request(scgi, nowhere, { variables: GET, role: 'authorizer' });
    await expect(asked).rejects.toMatchObject({ code: 'ERR_PROTOCOL_LACKS' });
  });
});

describe('a status line in the place of Status', () => {
  it.each([fastcgi, scgi])('is read over $name where the address says so', async (protocol) => {
    const line = 'HTTP/1.1 404 Gone\r\n\r\n';
    const target = await scripted((socket) => {
      socket.once('data', (chunk) =>
        socket.end(chunk[0] === 1 ? Buffer.concat([record(STDOUT, line), END]) : Buffer.from(line)),
      );
    });
    const strict = request(protocol, target, { variables: GET });
    await expect(strict).rejects.toMatchObject({ code: 'ERR_REPLY', statusHint: 502 });
    const answer = await request(protocol, target, { variables: GET, options: { nph: true } });
    expect([answer.status, answer.reason]).toEqual([404, 'Gone']);
  });
});
