import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { type Answer, request } from '../../packages/client/src/index.ts';
import type { BackEndOptions, ClientProtocol } from '../../packages/core/src/index.ts';
import { until } from '../../packages/testkit/src/index.ts';

export interface PeerAsk {
  readonly method?: string;
  /** As in a request line. */
  readonly target?: string;
  /** Pieces are sent as a body of unknown length. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Flat [name, value, …], behind the usual ones. */
  readonly variables?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface PeerReply {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** A back-end as the tests ask it: its protocol, where it listens, what its address says. */
export interface Peer {
  readonly protocol: ClientProtocol;
  readonly port: number;
  readonly options?: BackEndOptions;
}

export function variablesFor({ method = 'GET', target = '/', body, variables = [] }: PeerAsk): string[] {
  const [path, query = ''] = target.split('?');
  const sent = Object.entries({
    REQUEST_METHOD: method,
    REQUEST_URI: target,
    SCRIPT_NAME: '',
    PATH_INFO: path,
    QUERY_STRING: query,
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'app.test',
    SERVER_PORT: '8080',
    SERVER_ADDR: '192.0.2.1',
    REMOTE_ADDR: '192.0.2.7',
    REMOTE_PORT: '40000',
    HTTP_HOST: 'app.test:8080',
  }).flat();
  if (body instanceof Uint8Array) sent.push('CONTENT_LENGTH', String(body.length));
  else if (body !== undefined) sent.push('HTTP_TRANSFER_ENCODING', 'chunked');
  return [...sent, ...variables];
}

function start({ protocol, port, options }: Peer, what: PeerAsk): Promise<Answer> {
  const target = { transport: 'tcp', host: '127.0.0.1', port } as const;
  return request(protocol, target, { ...what, variables: variablesFor(what), options });
}

/** The answer with all of its body. */
export async function ask(peer: Peer, what: PeerAsk): Promise<PeerReply> {
  const answer = await start(peer, what);
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const { status, reason, headers } = answer;
  return { status, reason, headers, body: Buffer.concat(pieces) };
}

/** The values of a header field, in their order. */
export function valuesOf({ headers }: { readonly headers: readonly string[] }, name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1].toLowerCase() === name);
}

/** The bytes that Peer.java and app.py send, and the tests too. */
export function pattern(size: number): Buffer {
  const piece = Buffer.alloc(10_000);
  for (let i = 0; i < piece.length; i++) piece[i] = (i * 31 + (i >> 8)) & 255;
  return Buffer.alloc(size, piece);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** More than the sockets between us hold. */
const MANY = 20_000_000;

/** What every back-end of test/fixtures/peers does, whatever carries the requests. */
export function itAnswersAsAsked(peer: () => Peer, sizes: readonly number[]): void {
  it.each(sizes)('reads a POST of %i bytes as it was sent', async (size) => {
    const body = pattern(size);
    const reply = await ask(peer(), { method: 'POST', target: '/hash', body });
    expect(JSON.parse(reply.body.toString())).toEqual({ bytes: size, sha256: sha256(body) });
  });

  it('sends 20 MB as they are', async () => {
    const reply = await ask(peer(), { target: `/down?bytes=${MANY}` });
    expect(reply.body).toHaveLength(MANY);
    expect(sha256(reply.body)).toBe(sha256(pattern(MANY)));
  });

  it('is held back by a reader that takes nothing, and goes on with it', async () => {
    const { body } = await start(peer(), { target: `/down?bytes=${MANY}` });
    let before = -1;
    let same = 0;
    const written = async (): Promise<number> => Number((await ask(peer(), { target: '/written' })).body);
    // the same number twenty times: it waits
    const held = await until(written, (now) => {
      same = now === before ? same + 1 : 0;
      before = now;
      return same === 20;
    });
    expect(held).toBeLessThan(MANY);
    const hash = createHash('sha256');
    for await (const piece of body) hash.update(piece);
    expect(hash.digest('hex')).toBe(sha256(pattern(MANY)));
    expect(await written()).toBe(MANY);
  });

  it('sets two cookies', async () => {
    expect(valuesOf(await ask(peer(), { target: '/cookies' }), 'set-cookie')).toEqual(['a=1', 'b=2']);
  });

  it.each([204, 304, 404])('answers %i', async (code) => {
    const reply = await ask(peer(), { target: `/status?code=${code}` });
    expect(reply.status).toBe(code);
    expect(reply.body).toHaveLength(0);
  });

  it('answers HEAD with the Content-Length of GET, and no body', async () => {
    const get = await ask(peer(), { target: '/hash' });
    const head = await ask(peer(), { method: 'HEAD', target: '/hash' });
    expect(head.status).toBe(200);
    expect(valuesOf(head, 'content-length')).toEqual([String(get.body.length)]);
    expect(head.body).toHaveLength(0);
  });

  it('is told of when it ends its answer before its Content-Length', async () => {
    await expect(ask(peer(), { target: '/short' })).rejects.toMatchObject({ code: 'ERR_REPLY' });
  });
}
