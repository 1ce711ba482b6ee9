import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { http, until } from '../../packages/testkit/src/index.ts';

const sizes = [0, 1, 8185, 8186, 8187, 65_535, 65_536, 3_000_000];

function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What the front-end itself refuses or changes, by its own doing. */
export interface Quirks {
  /** The status that it gives a chunked upload by itself, where that has more than `chunkedUpTo` bytes. */
  readonly chunked?: number;
  readonly chunkedUpTo?: number;
  /** It keeps the header Authorization for itself. */
  readonly keepsAuthorization?: boolean;
  /** Behind it a reply without Content-Length that broke off looks complete. */
  readonly hidesBreaks?: boolean;
  readonly noPatch?: boolean;
  /** What `req.url` is for `/a%2Fb%20c?x=1&y`; undefined: not to be asked. */
  readonly rawUrl?: string | false;
  /** CGI: each request is a process of its own, and nothing can mark a reply as broken. */
  readonly processPerRequest?: boolean;
  /** It starts several, and a request goes to any that is idle. */
  readonly severalProcesses?: boolean;
  /** It may take a reply for complete whose connection is cut in the moment when its first bytes come. */
  readonly completesOnClose?: boolean;
  /** It hears that a client left when it has something to write to it, not before. */
  readonly hearsByWriting?: boolean;
}

/** What a `(req, res)` application must do behind any web server: test/fixtures/plain.mjs behind the port. */
export function describeScenarios(name: string, port: () => number, quirks: Quirks = {}): void {
  describe(`${name}: a plain (req, res) app`, () => {
    it('answers GET', async () => {
      const reply = await http({ port: port(), path: '/hello?x=1' });
      expect(reply.status).toBe(200);
      expect(reply.headers['content-type']).toBe('application/json');
      expect(JSON.parse(reply.text)).toMatchObject({ method: 'GET', url: '/hello?x=1', remoteAddress: '127.0.0.1' });
    });

    it('answers HEAD without a body', async () => {
      const reply = await http({ port: port(), path: '/hello', method: 'HEAD' });
      expect(reply.status).toBe(200);
      expect(reply.body).toHaveLength(0);
      expect((await http({ port: port(), path: '/hello' })).status).toBe(200);
    });

    it.each(sizes)('gets a POST of %i bytes as it was sent', async (size) => {
      const body = pattern(size);
      const reply = await http({ port: port(), path: '/hash', method: 'POST', body });
      expect(JSON.parse(reply.text)).toEqual({ method: 'POST', bytes: size, sha256: sha256(body) });
    });

    const { chunked, chunkedUpTo = chunked === undefined ? 3_000_000 : -1 } = quirks;
    const chunkedSizes = [1, 40_000, 100_000, 3_000_000].filter((size) => size <= chunkedUpTo);
    if (chunkedSizes.length > 0)
      it.each(chunkedSizes)('gets a chunked POST of %i bytes as it was sent', async (size) => {
        const body = pattern(size);
        const pieces = [body.subarray(0, 1), body.subarray(1, 70_000), body.subarray(70_000)].filter(
          (piece) => piece.length > 0,
        );
        const reply = await http({ port: port(), path: '/hash', method: 'POST', body: Readable.from(pieces) });
        expect(JSON.parse(reply.text)).toEqual({ method: 'POST', bytes: size, sha256: sha256(body) });
      });
    if (chunked !== undefined) {
      const size = chunkedUpTo < 0 ? 100 : 100_000;
      it(`never sees a chunked POST of ${size} bytes: the front-end refuses it with ${chunked}`, async () => {
        const reply = await http({ port: port(), path: '/hash', method: 'POST', body: Readable.from([pattern(size)]) });
        expect(reply.status).toBe(chunked);
      });
    }

    if (quirks.noPatch) {
      it('never sees PATCH: the front-end refuses it', async () => {
        const reply = await http({ port: port(), path: '/hash', method: 'PATCH', body: 'x' });
        expect(reply.status).toBeGreaterThanOrEqual(400);
      });
    } else {
      it('gets PATCH', async () => {
        const reply = await http({ port: port(), path: '/hash', method: 'PATCH', body: 'abc' });
        expect(JSON.parse(reply.text)).toMatchObject({ method: 'PATCH', bytes: 3 });
      });
    }

    it('sends 20 MB', async () => {
      const reply = await http({ port: port(), path: '/down?bytes=20000000' });
      expect(reply.body).toHaveLength(20_000_000);
      expect(sha256(reply.body)).toBe(sha256(Buffer.alloc(20_000_000, 'x')));
    });

    it.each([204, 304])('answers %i without a body', async (code) => {
      const reply = await http({ port: port(), path: `/status?code=${code}` });
      expect(reply.status).toBe(code);
      expect(reply.body).toHaveLength(0);
    });

    it('redirects with 302', async () => {
      const reply = await http({ port: port(), path: '/moved' });
      expect(reply.status).toBe(302);
      expect(reply.headers.location).toMatch(/\/elsewhere$/);
    });

    it('sets two cookies', async () => {
      const reply = await http({ port: port(), path: '/cookies' });
      expect(reply.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/']);
    });

    if (quirks.rawUrl !== false) {
      it('reads the raw URL', async () => {
        const reply = await http({ port: port(), path: '/a%2Fb%20c?x=1&y' });
        expect(JSON.parse(reply.text).url).toBe(quirks.rawUrl ?? '/a%2Fb%20c?x=1&y');
      });
    }

    it('reads a repeated request header joined, cookies with a semicolon', async () => {
      const reply = await http({ port: port(), path: '/', headers: { 'X-Many': ['a', 'b'], Cookie: 'c=1; d=2' } });
      expect(JSON.parse(reply.text).headers).toMatchObject({ 'x-many': 'a, b', cookie: 'c=1; d=2' });
    });

    it(`${quirks.keepsAuthorization ? 'never sees' : 'sees'} the header Authorization`, async () => {
      const reply = await http({ port: port(), path: '/', headers: { Authorization: 'Bearer abc' } });
      const expected = quirks.keepsAuthorization ? undefined : 'Bearer abc';
      expect(JSON.parse(reply.text).headers.authorization).toBe(expected);
    });

    it('never sees a Proxy header', async () => {
      const reply = await http({ port: port(), path: '/', headers: { Proxy: 'http://evil.test:1/' } });
      expect(JSON.parse(reply.text).headers).not.toHaveProperty('proxy', 'http://evil.test:1/');
    });

    it('refuses a 2 MB upload early, and the refusal arrives', async () => {
      const reply = await http({ port: port(), path: '/early', method: 'POST', body: pattern(2_000_000) });
      expect(reply.status).toBe(413);
      expect(reply.text).toBe('too much, says the app\n');
    });

    it('answers a thrown error with 500 and without its text', async () => {
      const reply = await http({ port: port(), path: '/throw' });
      expect(reply.status).toBe(500);
      expect(reply.text).not.toContain('secret');
    });

    const row = quirks.processPerRequest ? 10 : 100;
    it(`answers ${row} in a row`, async () => {
      for (let i = 0; i < row; i++) expect((await http({ port: port(), path: `/row/${i}` })).status).toBe(200);
    });

    const atOnce = quirks.processPerRequest ? 8 : 40;
    it(`answers ${atOnce} at once`, async () => {
      const replies = await Promise.all(
        Array.from({ length: atOnce }, (_, i) => http({ port: port(), path: `/at-once/${i}` })),
      );
      expect(replies.map((reply) => JSON.parse(reply.text).url)).toEqual(
        Array.from({ length: atOnce }, (_, i) => `/at-once/${i}`),
      );
    });

    if (quirks.processPerRequest) return;

    const length = quirks.hidesBreaks ? '?length=100000' : '';
    it(`does not end a reply cleanly that broke off behind its head${length && ', with Content-Length'}`, async () => {
      // a web server that had not passed the head on yet may answer with an error of its own
      const outcome = await (quirks.completesOnClose
        ? brokenWhenSeen(port(), length)
        : outcomeOf(port(), `/throw-late${length}`));
      // whatever error the client is given: aborted, ECONNRESET, a chunk that is cut
      if (typeof outcome === 'number') expect(outcome).toBeGreaterThanOrEqual(500);
      else expect(outcome).toMatch(/Error/);
    });

    it('hears that a client left, and goes on', async () => {
      const ask = async (): Promise<{ pid: number; left: number }> =>
        JSON.parse((await http({ port: port(), path: '/left' })).text);
      let pid = 0;
      // who asks at once meets all processes
      const asks = quirks.severalProcesses ? 4 : 1;
      const askAll = (): Promise<{ pid: number; left: number }[]> => Promise.all(Array.from({ length: asks }, ask));
      const before = await askAll();
      await leaveMidway(port(), quirks.hearsByWriting ? '/ticks' : '/wait', (chunk) => {
        pid = pidIn(chunk);
      });
      const leftBefore = before.find((answer) => answer.pid === pid)?.left ?? 0;
      const changed = (answer: { pid: number; left: number }): boolean =>
        answer.pid === pid && answer.left !== leftBefore;
      const after = await until(askAll, (answers) => answers.some(changed));
      expect(after.find(changed)?.left).toBe(leftBefore + 1);
    });
  });
}

/** The process that the app says it is. */
function pidIn(chunk: Buffer): number {
  return Number(/pid (\d+)/.exec(chunk.toString())?.[1]);
}

function outcomeOf(port: number, path: string): Promise<number | string> {
  return http({ port, path }).then(
    ({ status }) => status,
    (error) => String(error),
  );
}

/** The outcome of a reply that breaks off when its first bytes have come here. */
function brokenWhenSeen(port: number, query: string): Promise<number | string> {
  return new Promise((resolve) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path: `/throw-when-told${query}`, agent: false },
      (response) => {
        response.once('data', (chunk) => process.kill(pidIn(chunk), 'SIGUSR2'));
        response.on('error', (error) => resolve(String(error)));
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    request.on('error', (error) => resolve(String(error)));
    request.end();
  });
}

/** Goes away as soon as the first bytes of the body have come. */
export function leaveMidway(port: number, path: string, seen: (chunk: Buffer) => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.once('data', (chunk) => {
        seen(chunk);
        request.destroy();
        resolve();
      });
      response.on('error', () => {});
    });
    request.on('error', reject);
    request.end();
  });
}
