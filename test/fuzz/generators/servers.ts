import { limitsWith, type Protocol } from '@postern/core';
import { begin, pairs, params, record, stdin } from '@postern/testkit';
import fc from 'fast-check';
import { ajp } from '../../../packages/ajp/src/index.ts';
import { attribute, bodyPacket, CPING, forward } from '../../../packages/ajp/test/writer.ts';
import { fastcgi } from '../../../packages/fastcgi/src/index.ts';
import { scgi } from '../../../packages/scgi/src/index.ts';
import * as netstrings from '../../../packages/scgi/test/writer.ts';
import { uwsgi } from '../../../packages/uwsgi/src/index.ts';
import * as packets from '../../../packages/uwsgi/test/writer.ts';
import { serve } from '../targets/server.ts';
import { bodies, cut, pieces, places, sizes, type Valid, variables } from './common.ts';

/** A request, whatever carries it. */
interface Request {
  readonly variables: [name: string, value: string][];
  readonly body: string;
}

const requests: fc.Arbitrary<Request> = fc.record({ variables, body: bodies });

function lineOf({ variables: own, body }: Request): [string, string][] {
  return [
    ['REQUEST_METHOD', 'POST'],
    ['REQUEST_URI', '/p'],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['CONTENT_LENGTH', String(body.length)],
    ...own,
  ];
}

interface Understood {
  readonly id: number;
  readonly variables: Record<string, string>;
  readonly body: string;
  readonly ended: string | undefined;
}

/** Whatever the request is, all of its variables come, and nothing else that is not the protocol's own. */
function expected(id: number, request: Request): Understood {
  return { id, variables: Object.fromEntries(lineOf(request)), body: request.body, ended: 'end' };
}

/**
 * By an application that takes a body as it comes, and by one that asks for it when the memory it came in is used again.
 * Over AJP nothing comes that was not asked for.
 */
function decode(protocol: Protocol, chunks: readonly Uint8Array[]): unknown {
  const pulls = protocol !== ajp && chunks.length % 2 === 0 ? 'late' : 'at once';
  const connection = protocol.server(limitsWith(), { halfCloseServes: true });
  const { seen, errors } = serve(connection, chunks, { answer: 'end', pulls, last: 'nothing' });
  const understood = seen.map(({ id, variables: flat, body, ended }) => {
    const named = flat.flatMap((name, i) => (i % 2 === 0 && name !== 'SCGI' ? [[name, flat[i + 1]]] : []));
    return { id, variables: Object.fromEntries(named), body, ended };
  });
  return errors.length > 0 ? errors : understood.sort((a, b) => a.id - b.id);
}

/** FastCGI's own freedom: the sizes of records, their padding, and how those of several ids are mixed. */
const framings = fc.record({
  sizes: fc.array(sizes(65_535), { maxLength: 4 }),
  padding: fc.constantFrom(0, 0, 1, 7, 255),
  mix: fc.nat(),
});

function recordsOf(id: number, request: Request, framing: { sizes: number[]; padding: number }): Buffer[] {
  const { padding } = framing;
  const block = pairs(lineOf(request)).toString('latin1');
  return [
    begin(id, 1, 1, { padding }),
    ...pieces(block, framing.sizes, 65_535).map((piece) => params(piece, id, { padding })),
    params('', id, { padding }),
    ...pieces(request.body, framing.sizes, 65_535).map((piece) => stdin(piece, id, { padding, fill: 0xaa })),
    stdin('', id, { padding }),
  ];
}

/** The records of all, each request's in their order. */
function mixed(lists: readonly Buffer[][], mix: number): Buffer {
  const left = lists.map((list) => [...list]);
  const all: Buffer[] = [];
  for (let turn = mix; left.some((list) => list.length > 0); turn = (turn * 31 + 7) >>> 0) {
    const open = left.filter((list) => list.length > 0);
    all.push(open[turn % open.length].shift() as Buffer);
  }
  return Buffer.concat(all);
}

export const fastcgiServer: Valid = {
  cases: fc.tuple(fc.array(requests, { minLength: 1, maxLength: 3 }), framings, places).map(([all, framing, at]) => ({
    chunks: cut(
      Buffer.concat([
        record(9, 0),
        mixed(
          all.map((request, i) => recordsOf(i + 1, request, framing)),
          framing.mix,
        ),
      ]),
      at,
    ),
    expected: all.map((request, i) => expected(i + 1, request)),
  })),
  decode: (chunks) => decode(fastcgi, chunks),
};

export const scgiServer: Valid = {
  cases: fc.tuple(requests, places, bodies).map(([request, at, excess]) => {
    const [method, target, protocol, length, ...own] = lineOf(request);
    const flat = [length, ['SCGI', '1'], method, target, protocol, ...own].flat();
    const head = netstrings.netstring(netstrings.block(...flat));
    return {
      chunks: cut(netstrings.bytes(head + request.body + excess.slice(0, 9)), at),
      expected: [expected(1, request)],
    };
  }),
  decode: (chunks) => decode(scgi, chunks),
};

export const uwsgiServer: Valid = {
  cases: fc.tuple(requests, places).map(([request, at]) => {
    // a block has 65,535 bytes at most
    const small = { ...request, variables: request.variables.slice(0, 6) };
    const head = packets.packet(packets.block(...lineOf(small).flat()));
    return { chunks: cut(Buffer.concat([head, packets.bytes(small.body)]), at), expected: [expected(1, small)] };
  }),
  decode: (chunks) => decode(uwsgi, chunks),
};

/** What fits a packet of 8 KiB, and the form that its names have in AJP. */
function ajpOf({ variables: own, body }: Request): Request {
  const named = own.map(([name, value], i): [string, string] => [`HTTP_X_${i}_${name.length}`, value.slice(0, 900)]);
  return { variables: named, body: body.slice(0, 30_000) };
}

function ajpBytes(request: Request, chunked: boolean, most: number[]): Buffer {
  const { body } = request;
  const fields = request.variables.flatMap(([name, value]) => [name.slice(5).replaceAll('_', '-'), value]);
  const length = chunked ? ['Transfer-Encoding', 'chunked'] : ['content-length', String(body.length)];
  const attributes = [attribute('AJP_REMOTE_PORT', '7')];
  const packetsOfBody = pieces(body, most, 8186).map(bodyPacket);
  if (chunked) packetsOfBody.push(bodyPacket(''));
  return Buffer.concat([
    CPING,
    forward({ method: 'POST', uri: '/p', headers: [...fields, ...length], attributes }),
    ...packetsOfBody,
  ]);
}

export const ajpServer: Valid = {
  cases: fc
    .tuple(fc.array(fc.tuple(requests.map(ajpOf), fc.boolean()), { minLength: 1, maxLength: 3 }), framings, places)
    .map(([all, framing, at]) => ({
      chunks: cut(Buffer.concat(all.map(([request, chunked]) => ajpBytes(request, chunked, framing.sizes))), at),
      expected: all.map(([request, chunked], i) => {
        const { CONTENT_LENGTH, ...rest } = expected(i + 1, request).variables;
        const own = { SERVER_NAME: 'a', SERVER_PORT: '80', REMOTE_ADDR: '127.0.0.1', REMOTE_PORT: '7' };
        const made = { GATEWAY_INTERFACE: 'CGI/1.1', QUERY_STRING: '', REQUEST_SCHEME: 'http' };
        const length = chunked ? {} : { CONTENT_LENGTH };
        return { ...expected(i + 1, request), variables: { ...rest, ...own, ...made, ...length } };
      }),
    })),
  decode: (chunks) => decode(ajp, chunks),
};
