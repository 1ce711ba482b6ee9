import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ajp } from '../../packages/ajp/src/index.ts';
import { ping } from '../../packages/client/src/index.ts';
import { type AnswerEvent, type AskEvent, limitsWith } from '../../packages/core/src/index.ts';
import { certificate } from '../../packages/node/test/certificate.ts';
import { type BackEnd, repository, startTomcat } from '../../packages/testkit/src/index.ts';
import {
  ask,
  itAnswersAsAsked,
  type Peer,
  type PeerAsk,
  pattern,
  piecesOf,
  sha256,
  valuesOf,
  variablesFor,
} from './peer-scenarios.ts';

const connectors = [
  'packetSize="8192" secretRequired="false"',
  'packetSize="65536" secretRequired="false" tomcatAuthentication="false" encodedSolidusHandling="passthrough"',
  'packetSize="8192" secret="open sesame"',
];
let tomcat: BackEnd<number[]>;

beforeAll(async () => {
  tomcat = await startTomcat(`${repository}/test/fixtures/peers/Peer.java`, connectors);
});
afterAll(() => tomcat.stop());

const small = (): Peer => ({ protocol: ajp, port: tomcat.ports[0] });
const large = (): Peer => ({ protocol: ajp, port: tomcat.ports[1], options: { packetSize: 65_536 } });
const guarded = (secret?: string): Peer => ({ protocol: ajp, port: tomcat.ports[2], options: { secret } });

function jsonOf({ body }: { readonly body: Buffer }): unknown {
  return JSON.parse(body.toString());
}

describe.each([
  { packetSize: 8192, peer: small },
  { packetSize: 65_536, peer: large },
])('Tomcat with packets of $packetSize bytes', ({ packetSize, peer }) => {
  const full = packetSize - 6;
  itAnswersAsAsked(peer, [0, 1, 8186, 8187, full, full + 1, 3_000_000]);

  it.each([0, 1, full, full + 1, 3_000_000])('reads a chunked POST of %i bytes as it was sent', async (size) => {
    const body = pattern(size);
    const reply = await ask(peer(), { method: 'POST', target: '/hash', body: piecesOf(body, 70_000) });
    expect(jsonOf(reply)).toEqual({ bytes: size, sha256: sha256(body) });
  });

  it('is read by the client while it still reads the upload', async () => {
    const reply = await ask(peer(), { method: 'POST', target: '/duplex', body: pattern(100_000) });
    expect(reply.body.toString()).toBe('first 100000');
  });

  it.each([0, 1, full - 200])('sends a reply header of %i bytes whole', async (size) => {
    expect(valuesOf(await ask(peer(), { target: `/field?bytes=${size}` }), 'x-long')).toEqual(['x'.repeat(size)]);
  });
});

describe('Tomcat is told', () => {
  it('method, target, headers and addresses', async () => {
    const reply = await ask(small(), {
      target: '/a//b/c%20d;p=1?x=1&y',
      variables: ['HTTP_X_ONE', 'v"1\\', 'HTTP_COOKIE', 'a=1; b=2', 'CONTENT_TYPE', 'text/plain', 'CUSTOM', 'not sent'],
    });
    expect(reply).toMatchObject({ status: 200, reason: 'OK' });
    // a name without a code, and one with a code
    expect(valuesOf(reply, 'x-plain')).toEqual(['no code']);
    expect(valuesOf(reply, 'content-type')).toEqual(['application/json']);
    expect(jsonOf(reply)).toEqual({
      ...{ method: 'GET', uri: '/a//b/c%20d;p=1', query: 'x=1&y', protocol: 'HTTP/1.1', scheme: 'http' },
      ...{ serverName: 'app.test', serverPort: '8080', remoteAddr: '192.0.2.7', remotePort: '40000' },
      ...{ localAddr: '192.0.2.1', remoteUser: null, authType: null },
      ...{ cipher: null, keySize: null, session: null, client: null },
      headers: [
        ...['host', 'app.test:8080', 'x-one', 'v"1\\'],
        ...['cookie', 'a=1; b=2', 'content-type', 'text/plain'],
      ],
    });
  });

  it.each(['PUT', 'DELETE', 'OPTIONS', 'MKCOL', 'REPORT', 'VERSION-CONTROL', 'MKACTIVITY', 'PATCH', 'PURGE'])(
    'the method %s, whether it has a code or not',
    async (method) => {
      expect(jsonOf(await ask(small(), { method }))).toMatchObject({ method });
    },
  );

  it('what TLS was like', async () => {
    const variables = ['HTTPS', 'on', 'SSL_CIPHER', 'AES', 'SSL_CIPHER_USEKEYSIZE', '256', 'SSL_SESSION_ID', 'abc'];
    variables.push('SSL_PROTOCOL', 'TLSv1.3', 'SSL_CLIENT_CERT', certificate);
    expect(jsonOf(await ask(small(), { variables }))).toMatchObject({
      ...{ scheme: 'https', cipher: 'AES', keySize: '256', session: 'abc' },
      client: 'CN=client.example, O=Postern tests',
    });
  });

  it('the user, whom it believes only with tomcatAuthentication="false"', async () => {
    const variables = ['REMOTE_USER', 'eve', 'AUTH_TYPE', 'Basic'];
    expect(jsonOf(await ask(small(), { variables }))).toMatchObject({ remoteUser: null, authType: null });
    expect(jsonOf(await ask(large(), { variables }))).toMatchObject({ remoteUser: 'eve', authType: 'Basic' });
  });
});

describe('Tomcat answers', () => {
  it('400 to %2F, unless its connector lets that through', async () => {
    expect((await ask(small(), { target: '/a%2Fb' })).status).toBe(400);
    expect(jsonOf(await ask(large(), { target: '/a%2Fb' }))).toMatchObject({ uri: '/a%2Fb' });
  });

  it('500 with its page to an exception', async () => {
    const reply = await ask(small(), { target: '/raise' });
    expect(reply).toMatchObject({ status: 500, reason: 'Internal Server Error' });
    expect(reply.body.toString()).toContain('raised by the test');
  });

  it('an upload that it does not read', async () => {
    const what = { method: 'POST', target: '/refuse?code=403', body: pattern(3_000_000) };
    expect((await ask(small(), what)).status).toBe(403);
    expect((await ask(small(), { ...what, body: piecesOf(what.body, 70_000) })).status).toBe(403);
  });

  it('403 without its secret, and to a wrong one; one that it does not ask for is no harm', async () => {
    const status = async (peer: Peer, what: PeerAsk = {}): Promise<number> => (await ask(peer, what)).status;
    expect(await status(guarded('open sesame'))).toBe(200);
    expect(await status(guarded())).toBe(403);
    expect(await status(guarded('wrong'))).toBe(403);
    expect(await status(guarded('wrong'), { method: 'POST', body: pattern(100_000) })).toBe(403);
    expect(await status({ ...small(), options: { secret: 'wrong' } })).toBe(200);
  });

  it('a ping, for which it wants no secret', async () => {
    for (const port of tomcat.ports)
      expect(await ping(ajp, { transport: 'tcp', host: '127.0.0.1', port })).toBeGreaterThan(0);
  });
});

describe('packets of different sizes', () => {
  it('are refused by the client where Tomcat has the larger ones, with both sizes in the message', async () => {
    await expect(ask({ ...large(), options: {} }, { target: '/down?bytes=100000' })).rejects.toMatchObject({
      code: 'ERR_REPLY',
      message: 'a packet of 65536 bytes, packetSize is 8192',
    });
  });

  it('break the connection where the client has the larger ones', async () => {
    const what = { method: 'POST', target: '/hash', body: pattern(100_000) };
    await expect(ask({ ...small(), options: { packetSize: 65_536 } }, what)).rejects.toMatchObject({
      code: 'ERR_REPLY',
      statusHint: 502,
    });
  });

  it('have no room for a longer request: the client says so and sends nothing', async () => {
    const target = `/hash?${'x'.repeat(9000)}`;
    await expect(ask(small(), { target })).rejects.toMatchObject({ code: 'ERR_ENV_BYTES' });
    expect((await ask(large(), { target })).status).toBe(200);
  });

  // Tomcat 10.1.60 logs that it closes the connection, and leaves it open: only its caller's clock ends such a request
  it('have no room for a longer reply head: Tomcat says so in its log, the client in vain waits for a word', async () => {
    const giving = new AbortController();
    const asked = ask(small(), { target: '/field?bytes=9000', signal: giving.signal });
    tomcat.child.said(/\[X-Long\].* does not fit in an AJP packet of \[8192\]/).then(
      () => giving.abort(),
      () => {},
    );
    await expect(asked).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/ERR_(ABORTED|REPLY)/) }),
    );
    expect((await ask(small(), {})).status).toBe(200);
  });
});

/** One connection for many requests, which `request` does not offer. */
class KeptConnection {
  readonly #connection = ajp.client(limitsWith());
  readonly #socket: Socket;
  #heard: AnswerEvent[] = [];
  #resolve: (heard: AnswerEvent[]) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk) => {
      this.#connection.receive(chunk);
      this.#listen();
      this.#flush();
    });
    this.#socket.on('error', (error) => this.#reject(error));
    this.#socket.on('close', () => this.#reject(new Error('Tomcat closed the connection')));
  }

  /** What comes up to the end of the answer. */
  ask(...events: AskEvent[]): Promise<AnswerEvent[]> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      for (const event of events) this.#connection.send(event);
      this.#flush();
    });
  }

  #listen(): void {
    try {
      for (let event = this.#connection.next(); event !== undefined; event = this.#connection.next()) {
        this.#heard.push(event);
        this.#connection.pull(1);
        if (event.type === 'end' || event.type === 'pong') this.#resolve(this.#heard.splice(0));
      }
    } catch (error) {
      this.#reject(error);
    }
  }

  #flush(): void {
    for (let output = this.#connection.takeOutput(65_536); output; output = this.#connection.takeOutput(65_536)) {
      if (typeof output === 'string') this.#socket.write(output, 'latin1');
      else for (const piece of Array.isArray(output) ? output : [output]) this.#socket.write(piece);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe('one connection to Tomcat', () => {
  const body = pattern(100_000);
  const whole = { bytes: body.length, sha256: sha256(body) };
  const nothing = { bytes: 0, sha256: sha256(Buffer.alloc(0)) };

  /** The events of a request whose connection is kept. */
  function kept(what: PeerAsk, sent?: Buffer): AskEvent[] {
    const events: AskEvent[] = [{ type: 'request', id: 1, variables: variablesFor(what), keep: true }];
    if (sent !== undefined) events.push({ type: 'data', id: 1, chunk: sent });
    return [...events, { type: 'end', id: 1 }];
  }

  function statusOf(heard: AnswerEvent[]): unknown {
    expect(heard.at(-1)).toEqual({ type: 'end', id: 1, reuse: true });
    return heard[0].type === 'head' && heard[0].status;
  }

  function replyOf(heard: AnswerEvent[]): unknown {
    expect(statusOf(heard)).toBe(200);
    return JSON.parse(heard.map((event) => (event.type === 'data' ? Buffer.from(event.chunk) : '')).join(''));
  }

  it('carries requests of every kind one behind the other, and pings', async () => {
    const { port } = small();
    const connection = new KeptConnection(port);
    const chunked = { method: 'POST', target: '/hash', body: piecesOf(body, body.length) };
    try {
      for (let round = 0; round < 3; round++) {
        expect(replyOf(await connection.ask(...kept({ target: '/hash' })))).toEqual(nothing);
        expect(await connection.ask({ type: 'ping', id: 1 })).toEqual([{ type: 'pong', id: 1 }]);
        expect(replyOf(await connection.ask(...kept({ method: 'POST', target: '/hash', body }, body)))).toEqual(whole);
        expect(replyOf(await connection.ask(...kept(chunked, body)))).toEqual(whole);
        expect(replyOf(await connection.ask(...kept(chunked)))).toEqual(nothing);
        // what Tomcat has not read of a body does not get into the next request
        expect(
          statusOf(await connection.ask(...kept({ method: 'POST', target: '/refuse?code=403', body }, body))),
        ).toBe(403);
        expect(statusOf(await connection.ask(...kept({ ...chunked, target: '/refuse?code=403' }, body)))).toBe(403);
        expect(statusOf(await connection.ask(...kept({ method: 'HEAD', target: '/hash' })))).toBe(200);
        expect(statusOf(await connection.ask(...kept({ target: '/raise' })))).toBe(500);
      }
    } finally {
      connection.close();
    }
  });
});
