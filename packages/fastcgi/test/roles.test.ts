import { describe, expect, it } from '@jest/globals';
import type { ReplyEvent, Role } from '@postern/core';
import {
  abort,
  begin,
  hex,
  outputText,
  pairs,
  params,
  plainGet,
  readReplies,
  record,
  request,
  stdin,
} from '@postern/testkit';
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import { both, bytes, kept } from './bad-input.ts';
import { receive, replies, summary, whole } from './driving.ts';
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

describe('a filter', () => {
  const nine = { FCGI_DATA_LENGTH: '9', FCGI_DATA_LAST_MOD: '0' };
  const filter = (more: Record<string, string>, rest: Uint8Array[], serving: Serving = {}): Served =>
    served(bytes(asked(3, more), ...rest), { ...roles, ...serving });

  it('gets its file behind its body, and ends when both have', () => {
    const outcome = filter({ ...nine, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' }, [
      stdin('abc'),
      stdin(),
      data('1234'),
      data('56789'),
      data(),
      kept,
    ]);
    expect(outcome.asked[0]).toEqual({
      id: 1,
      method: 'POST',
      body: 'abc',
      ended: 'end',
      file: '123456789',
      fileEnded: 'end',
      role: 'filter',
      variables: { ...plainGet, ...nine, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' },
    });
    expect(outcome).toMatchObject({ errors: [], replies: [ok(), ok()], others: [], close: false });
  });

  it('is asked at the end of PARAMS, before any of its file', () => {
    const connection = server({}, roles.peer);
    expect(receive(connection, asked(3, nine))).toMatchObject([
      { type: 'request', role: 'filter', ended: true, dataLength: 9 },
    ]);
    expect(summary(receive(connection, stdin(), data('123456789')))).toEqual([
      '1 filter-data 123456789',
      '1 filter-end',
    ]);
    expect(receive(connection, data())).toEqual([]);
  });

  it.each<[string, Record<string, string>, Uint8Array[], string]>([
    ['of stated length', nine, [data('123456789'), data()], '123456789'],
    ['that is longer than stated is cut', nine, [data('1234567890'), data('x'), data()], '123456789'],
    ['of stated length, whose end has not come', nine, [data('123456789')], '123456789'],
    ['of no stated length', {}, [data('12'), data('3'), data()], '123'],
    ['of no stated length that is empty', {}, [data()], ''],
    ['of an empty length', { FCGI_DATA_LENGTH: '' }, [data('1'), data()], '1'],
    ['of length 0', { FCGI_DATA_LENGTH: '0' }, [data('x'), data()], ''],
    ['of length 0, whose end has not come', { FCGI_DATA_LENGTH: '0' }, [], ''],
  ])('reads a file %s', (_, more, file, content) => {
    const outcome = filter(more, [stdin(), ...file]);
    expect(outcome.asked).toMatchObject([{ ended: 'end', file: content, fileEnded: 'end' }]);
    expect(outcome).toMatchObject({ errors: [], replies: [ok()] });
  });

  it('vF98 whose file is shorter than stated hears of it, and can still be answered', () => {
    const outcome = filter({ FCGI_DATA_LENGTH: '10' }, [stdin(), data('abc'), data(), kept]);
    expect(outcome.asked[0]).toMatchObject({ ended: 'end', file: 'abc', fileEnded: 'ERR_BODY_SHORT' });
    expect(outcome.replies).toEqual([
      expect.objectContaining({ stdout: expect.stringMatching(/^Status: 400 /), end: complete }),
      ok(),
    ]);
  });

  it('whose body is short is told so, once, whatever comes of the file', () => {
    const post = { ...nine, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '5' };
    const outcome = filter(post, [stdin('abc'), stdin(), data('123456789'), data(), kept]);
    expect(outcome.asked[0]).toMatchObject({ body: 'abc', ended: 'ERR_BODY_SHORT', file: '' });
    expect(outcome.replies).toMatchObject([{ stdout: expect.stringMatching(/^Status: 400 /) }, ok()]);
  });

  it.each(['-1', 'many', '9 ', '99999999999999999999'])('with FCGI_DATA_LENGTH %j is answered 400', (length) => {
    const outcome = both(bytes(asked(3, { FCGI_DATA_LENGTH: length }), stdin(), data('x'), data()), roles);
    expect(outcome).toMatchObject({ asked: [], errors: ['ERR_ENV_LENGTH 400 1'], close: 'fin' });
  });

  it.each<[string, Uint8Array[]]>([
    ['DATA before the end of PARAMS', [begin(1, 1, 3), data('x')]],
    ['DATA before the end of STDIN', [asked(3, nine), data('x')]],
    ['the end of DATA before that of STDIN', [asked(3, nine), data()]],
    ['DATA behind its end', [asked(3, {}), stdin(), data('x'), data(), data('y')]],
    ['STDIN behind its end', [asked(3, nine), stdin(), stdin('x')]],
  ])('closes the connection at %s', (_, parts) => {
    expect(served(bytes(...parts), { ...roles, answer: 'never' })).toMatchObject({
      errors: ['ERR_FCGI_STATE'],
      output: '',
      close: 'reset',
    });
  });

  it('takes a further end of STDIN or of DATA for junk, of which there may be so much', () => {
    const ended = [stdin(), data('123456789'), data()];
    const times = (count: number, one: Buffer): Buffer[] => Array.from({ length: count }, () => one);
    for (const one of [stdin(), data()]) {
      expect(filter(nine, [...ended, ...times(64, one)], { answer: 'never' }).errors).toEqual([]);
      expect(filter(nine, [...ended, ...times(65, one)], { answer: 'never' }).errors).toEqual(['ERR_FCGI_JUNK']);
    }
  });

  it('may be told of STDIN before the end of PARAMS', () => {
    const variables = params(pairs({ ...plainGet, ...nine, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' }));
    const parts = [begin(1, 1, 3), stdin('abc'), stdin(), variables, params(), data('123456789'), data()];
    expect(served(bytes(...parts), roles).asked).toMatchObject([{ body: 'abc', file: '123456789', fileEnded: 'end' }]);
  });

  it('that has answered is sent the rest of its file for nothing, free of charge, and then its id is forgotten', () => {
    const file = Array.from({ length: 160 }, () => data(Buffer.alloc(65_535)));
    const outcome = serve([asked(3), stdin(), ...file, data(), kept], { ...roles, answer: 'head' });
    expect(outcome).toMatchObject({ errors: [], replies: [ok(), ok()], close: false });
    const late = Array.from({ length: 65 }, () => data('x'));
    const answered = [asked(3), stdin(), data(), ...late];
    expect(serve([bytes(...answered)], { ...roles, answer: 'head' }).errors).toEqual(['ERR_FCGI_JUNK']);
  });

  it('is aborted in the middle of its file, by ABORT_REQUEST and by FIN', () => {
    const outcome = filter(nine, [stdin(), data('12'), abort(), data('3'), data(), kept], { answer: 'never' });
    expect(outcome.asked).toMatchObject([{ file: '12', ended: 'ERR_ABORTED' }, { ended: 'end' }]);
    expect(outcome.replies).toMatchObject([{ end: '0000000100000000' }]);
    const cut = filter(nine, [stdin(), data('12')], { answer: 'never', fin: true });
    expect(cut).toMatchObject({ asked: [{ file: '12', ended: 'ERR_ABORTED' }], output: '', close: 'fin' });
  });

  it('is served behind a half-close when its file has come, and not before', () => {
    const halfClose: Serving = { peer: { roles: all, halfCloseServes: true }, fin: true };
    expect(filter(nine, [stdin(), data('123456789'), data()], halfClose)).toMatchObject({
      asked: [{ fileEnded: 'end' }],
      replies: [ok()],
      close: 'fin',
    });
    expect(filter(nine, [stdin(), data('12')], { ...halfClose, answer: 'never' })).toMatchObject({
      asked: [{ ended: 'ERR_ABORTED' }],
      output: '',
    });
  });

  it('beside other requests on its connection gets its own file', () => {
    const two = [3, 5].map((id) => [
      begin(id, 1, 3),
      params(pairs({ ...plainGet, FCGI_DATA_LENGTH: '2' }), id),
      params('', id),
      stdin('', id),
    ]);
    const mixed = bytes(
      ...two.flat(),
      data('a', 3),
      data('c', 5),
      request(plainGet, { id: 1, flags: 1 }),
      data('d', 5),
      data('b', 3),
      data('', 3),
      data('', 5),
    );
    const outcome = served(mixed, roles);
    expect(outcome.asked).toMatchObject([{ id: 3, file: 'ab' }, { id: 5, file: 'cd' }, { id: 1 }]);
    expect(outcome.replies.map(({ id }) => id)).toEqual([1, 5, 3]);
  });
});

describe('the window of a file', () => {
  const limits = { bodyHighWater: 4 };
  const begun = (...rest: Uint8Array[]) => {
    const connection = server(limits, roles.peer);
    const more = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '8', FCGI_DATA_LENGTH: '8' };
    return { connection, heard: summary(receive(connection, asked(3, more), ...rest)) };
  };

  it('is its own: a pull of the body gives no room to the file, and the other way round', () => {
    const { connection, heard } = begun(stdin('abcd'), stdin('efgh'), stdin(), data('1234'), data('5678'), data());
    expect(heard).toEqual(['1 request', '1 data abcd']);
    expect(connection.wantsRead).toBe(false);
    connection.pull(1, 'filter-data');
    expect(summary(receive(connection))).toEqual([]);
    connection.pull(1);
    expect(summary(receive(connection))).toEqual(['1 data efgh', '1 end', '1 filter-data 1234']);
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
    connection.pull(1);
    expect(connection).toMatchObject({ wantsRead: false, blocker: 1 });
    expect(summary(receive(connection))).toEqual([]);
    expect(connection.wantsRead).toBe(false);
    connection.pull(1, 'filter-data');
    expect(connection.blocker).toBe(0);
    expect(connection.wantsRead).toBe(true);
    expect(summary(receive(connection))).toEqual(['1 filter-data 5678', '1 filter-end']);
  });

  it.each([
    ['body', [stdin('abcd'), stdin('efgh')]],
    ['file', [stdin('abcdefgh'), stdin(), data('1234'), data('5678')]],
  ])('that is full of %s does not keep a reply from ending the request', (_, parts) => {
    const { connection } = begun(...parts);
    expect(connection.wantsRead).toBe(false);
    whole(connection);
    expect(connection.wantsRead).toBe(true);
    expect(receive(connection)).toEqual([]);
    const rest = parts.length === 2 ? [stdin(), data('12345678'), data()] : [data()];
    expect(summary(receive(connection, ...rest, kept))).toEqual(['1 request']);
    expect(replies(connection)).toMatchObject([{ id: 1, end: complete }]);
  });

  it("of an id that is not there is nobody's", () => {
    const connection = server(limits, roles.peer);
    connection.pull(7, 'filter-data');
    receive(connection, asked(1), stdin());
    connection.pull(1, 'filter-data');
    whole(connection);
    expect(replies(connection)).toEqual([ok()]);
  });
});
