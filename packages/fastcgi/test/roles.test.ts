import { describe, expect, it } from '@jest/globals';
import type { ReplyEvent, Role } from '@postern/core';
import { abort, begin, hex, outputText, pairs, params, plainGet, readReplies, record, stdin } from '@postern/testkit';
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import { both, bytes, kept } from './bad-input.ts';
import { receive, replies, whole } from './driving.ts';
import { complete, ok, type Served, type Serving, serve, served, server } from './serving.ts';

const all: Role[] = ['responder', 'authorizer', 'filter'];
const roles: Serving = { peer: { roles: all } };
const unknownRole = { id: 1, stdout: '', stderr: '', closed: false, end: '0000000003000000' };
/** What lighttpd does not take for an allow. */
const denial = {
  stdout: 'Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\n500 Internal Server Error\n',
  stderr: '',
  closed: true,
};

function asked(role: number, more: Record<string, string> = {}, flags = 1): Buffer {
  return bytes(begin(1, flags, role), params(pairs({ ...plainGet, ...more })), params());
}

function data(content: string | Uint8Array = '', id = 1): Buffer {
  return record(8, id, content);
}

describe('a role', () => {
  it.each<[number, Role[] | undefined, boolean]>([
    [1, undefined, true],
    [2, undefined, false],
    [3, undefined, false],
    [2, ['responder', 'filter'], false],
    [3, ['responder', 'authorizer'], false],
    [1, ['authorizer'], false],
    [1, ['filter'], false],
    [2, ['authorizer'], true],
    [0, all, false],
    [4, all, false],
    [258, all, false],
  ])('%d of an application that offers %j is served: %s', (role, offered, served) => {
    const outcome = serve([bytes(asked(role), stdin())], { peer: { roles: offered } });
    expect(outcome.asked).toHaveLength(served ? 1 : 0);
    expect(outcome.replies).toEqual([served ? ok() : role === 2 ? { ...unknownRole, ...denial } : unknownRole]);
    expect(outcome).toMatchObject({ errors: [], close: false });
  });

  it('that is not offered leaves the rest of its request free, and the connection usable', () => {
    const file = bytes(...Array.from({ length: 200 }, () => data('x')), data());
    const outcome = serve([bytes(asked(3), stdin('abc'), stdin(), file, kept)], {});
    expect(outcome).toMatchObject({ errors: [], replies: [unknownRole, ok()], close: false });
  });
});

describe('an authorizer', () => {
  const authorizer = (...rest: Uint8Array[]): Served => served(bytes(asked(2), ...rest), roles);

  it('is asked at the end of PARAMS, and its reply ends the request without any STDIN', () => {
    const outcome = authorizer();
    expect(outcome.asked).toEqual([
      { id: 1, method: 'GET', body: '', ended: 'end', variables: plainGet, role: 'authorizer' },
    ]);
    expect(outcome).toMatchObject({ errors: [], replies: [ok()], others: [], close: false });
    expect(served(asked(2, {}, 0), roles)).toMatchObject({ replies: [ok()], close: 'fin' });
  });

  it('ends the same with an empty STDIN, before its reply or behind it', () => {
    expect(authorizer(stdin())).toEqual(authorizer());
    expect(authorizer(stdin(), kept).replies).toEqual([ok(), ok()]);
    const connection = server({}, roles.peer);
    receive(connection, asked(2));
    whole(connection);
    expect(receive(connection, stdin(), asked(2))).toMatchObject([{ type: 'request', role: 'authorizer' }]);
    expect(replies(connection)).toEqual([ok()]);
  });

  it('can be asked again and again on one connection that never carries STDIN', () => {
    const outcome = serve(
      Array.from({ length: 300 }, () => asked(2)),
      roles,
    );
    expect(outcome).toMatchObject({ errors: [], close: false });
    expect(outcome.replies).toHaveLength(300);
  });

  it.each([
    [{ REQUEST_METHOD: 'POST' }],
    [{ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5' }],
    [{ REQUEST_METHOD: 'POST', HTTP_TRANSFER_ENCODING: 'chunked' }],
  ])('has no body with %j, and what is sent of one is thrown away', (more) => {
    for (const body of [bytes(), bytes(stdin('hello'), stdin()), stdin('x')]) {
      const outcome = served(bytes(asked(2, more), body), { ...roles, answer: 'never' });
      expect(outcome.asked).toMatchObject([{ method: 'POST', body: '', ended: 'end' }]);
      expect(outcome.asked[0].variables).not.toHaveProperty('CONTENT_LENGTH');
      expect(outcome.errors).toEqual([]);
    }
    const upload = bytes(...Array.from({ length: 4 }, () => stdin(Buffer.alloc(60_000))), stdin(), kept);
    expect(serve([bytes(asked(2, more), upload)], roles).replies).toEqual([ok(), ok()]);
  });

  it('is refused as a responder is, by its variables', () => {
    expect(both(asked(2, { REQUEST_METHOD: 'G T' }), roles)).toMatchObject({
      asked: [],
      errors: ['ERR_ENV_METHOD 400 1'],
    });
  });

  it('is aborted', () => {
    const outcome = served(bytes(asked(2), abort(), kept), { ...roles, answer: 'never' });
    expect(outcome.asked).toMatchObject([{ ended: 'ERR_ABORTED' }, { ended: 'end' }]);
    expect(outcome.replies).toEqual([{ id: 1, ...denial, end: '0000000100000000' }]);
  });

  it('allows in one piece of output, byte for byte', () => {
    const connection = server({}, roles.peer);
    receive(connection, asked(2));
    const headers = ['Variable-USER', 'joe'];
    connection.send({ type: 'whole', id: 1, status: 200, reason: 'OK', headers, body: null });
    const output = connection.takeOutput(1);
    expect(Array.isArray(output)).toBe(false);
    expect(Buffer.from(output as string, 'latin1')).toEqual(
      bytes(
        hex('01 06 00 01 00 26 02 00'),
        Buffer.from('Status: 200 OK\r\nVariable-USER: joe\r\n\r\n'),
        hex('00 00'),
        hex('01 06 00 01 00 00 00 00'),
        hex('01 03 00 01 00 08 00 00  00 00 00 00 00 00 00 00'),
      ),
    );
    expect(outputText(connection)).toBe('');
    expect(connection).toMatchObject({ idle: true, wantsClose: false, wantsRead: true });
  });
});

describe('an authorizer whose request ends without an answer is denied: by', () => {
  const abortReply: ReplyEvent = { type: 'abort', id: 1 };
  const begun = (limits: Serving['limits'], ...rest: Uint8Array[]) => {
    const connection = server(limits, roles.peer);
    receive(connection, asked(2), ...rest);
    return connection;
  };
  const denied = { id: 1, ...denial };

  it('an abort before the end of PARAMS', () => {
    const outcome = served(bytes(begin(1, 1, 2), abort(), kept), { ...roles, answer: 'never' });
    expect(outcome.replies).toEqual([{ ...denied, end: '0000000100000000' }]);
  });

  it('the limit of one request at a time, where a responder is told no more than that', () => {
    const connection = begun({ maxConcurrentPerConnection: 1 }, begin(2, 1, 2), begin(3, 1, 1));
    expect(replies(connection)).toEqual([
      { ...denied, id: 2, end: '0000000001000000' },
      { id: 3, stdout: '', stderr: '', closed: false, end: '0000000001000000' },
    ]);
  });

  it.each<[string, Uint8Array[], Serving['peer'], string]>([
    ['alone on its connection', [], {}, '\0\0\0\0\0\0\0\0'],
    ['beside another', [begin(2, 1, 1)], {}, '\x01\x03\0\x01\0\x08\0\0\0\0\0\x01\0\0\0\0'],
    ['behind HAProxy', [], { peer: 'haproxy' }, '\x01\x03\0\x01\0\0\0\0'],
  ])('a reply that breaks off %s', (_, rest, peer, end) => {
    const connection = server({}, { ...peer, roles: all });
    receive(connection, asked(2), ...rest);
    connection.send(abortReply);
    const output = outputText(connection);
    expect(output.endsWith(end)).toBe(true);
    expect(readReplies(output.slice(0, -end.length)).replies).toEqual([{ ...denied, end: undefined }]);
  });

  it('408, 503 and 400, which have a head of their own', () => {
    const slow = server({}, roles.peer);
    receive(slow, begin(1, 1, 2));
    slow.expireHeads();
    expect(replies(slow)).toMatchObject([{ stdout: expect.stringMatching(/^Status: 408 /), end: complete }]);
    const late = begun({ maxConcurrentPerConnection: 2 }, begin(2, 1, 1), begin(3, 1, 2));
    expect(replies(late)).toMatchObject([{ id: 3, stdout: expect.stringMatching(/^Status: 503 /), end: complete }]);
    late.shutdown();
    receive(late, begin(4, 1, 2));
    expect(replies(late)).toMatchObject([{ id: 4, stdout: expect.stringMatching(/^Status: 503 /), end: complete }]);
  });

  it('nothing at all where the connection goes: no END_REQUEST is sent', () => {
    expect(served(asked(2), { ...roles, answer: 'never', fin: true })).toMatchObject({ output: '', close: 'fin' });
    const broken = served(bytes(asked(2), begin(1, 1, 2)), { ...roles, answer: 'never' });
    expect(broken).toMatchObject({ output: '', close: 'reset' });
  });

  it.each<[string, (connection: FastcgiServerConnection) => unknown]>([
    ['broken off', (connection) => connection.send(abortReply)],
    ['aborted', (connection) => receive(connection, abort())],
  ])('its own head, all of it, where that was sent before it is %s', (_, end) => {
    const connection = begun({ maxConcurrentPerConnection: 10 }, begin(2, 1, 1));
    const headers = Array.from({ length: 9 }, (_, i) => [`X-${i}`, 'x'.repeat(8000)]).flat();
    connection.send({ type: 'head', id: 1, status: 403, reason: 'Forbidden', headers });
    connection.send({ type: 'data', id: 1, chunk: 'no' });
    end(connection);
    const [reply, ...others] = replies(connection);
    expect(others).toEqual([]);
    expect(reply.stdout).toMatch(/^Status: 403 Forbidden\r\n(?:X-\d: x{8000}\r\n){9}\r\n$/);
    expect(reply.end).toBe('0000000100000000');
  });
});
