import { describe, expect, it } from '@jest/globals';
import type { Role } from '@postern/core';
import { abort, begin, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import { both, bytes, kept } from './bad-input.ts';
import { head, receive, replies, summary, whole } from './driving.ts';
import { complete, ok, type Served, type Serving, serve, served, server } from './serving.ts';

const all: Role[] = ['responder', 'authorizer', 'filter'];
const roles: Serving = { peer: { roles: all } };

function asked(more: Record<string, string> = {}, flags = 1): Buffer {
  return bytes(begin(1, flags, 3), params(pairs({ ...plainGet, ...more })), params());
}

function data(content: string | Uint8Array = '', id = 1): Buffer {
  return record(8, id, content);
}

describe('a filter', () => {
  const nine = { FCGI_DATA_LENGTH: '9', FCGI_DATA_LAST_MOD: '0' };
  const filter = (more: Record<string, string>, rest: Uint8Array[], serving: Serving = {}): Served =>
    served(bytes(asked(more), ...rest), { ...roles, ...serving });

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
    expect(receive(connection, asked(nine))).toMatchObject([
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
    const outcome = both(bytes(asked({ FCGI_DATA_LENGTH: length }), stdin(), data('x'), data()), roles);
    expect(outcome).toMatchObject({ asked: [], errors: ['ERR_ENV_LENGTH 400 1'], close: 'fin' });
  });

  it.each<[string, Uint8Array[]]>([
    ['DATA before the end of PARAMS', [begin(1, 1, 3), data('x')]],
    ['DATA before the end of STDIN', [asked(nine), data('x')]],
    ['the end of DATA before that of STDIN', [asked(nine), data()]],
    ['DATA behind its end', [asked({}), stdin(), data('x'), data(), data('y')]],
    ['STDIN behind its end', [asked(nine), stdin(), stdin('x')]],
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
    const outcome = serve([asked(), stdin(), ...file, data(), kept], { ...roles, answer: 'head' });
    expect(outcome).toMatchObject({ errors: [], replies: [ok(), ok()], close: false });
    const late = Array.from({ length: 65 }, () => data('x'));
    const answered = [asked(), stdin(), data(), ...late];
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

  it('of no stated length is served behind a half-close when its file has ended', () => {
    const outcome = filter({}, [stdin(), data('12'), data()], {
      peer: { roles: all, halfCloseServes: true },
      fin: true,
      answer: 'never',
    });
    expect(outcome).toMatchObject({ asked: [{ ended: 'end', fileEnded: 'end' }], errors: [], close: false });
  });

  it('that has ended its reply hears no more of its file, though the reply has not gone out', () => {
    for (const last of [[], [data()]]) {
      const connection = server({}, roles.peer);
      receive(connection, asked(nine), stdin());
      head(connection);
      connection.send({ type: 'end', id: 1 });
      expect(receive(connection, data('123'), ...last)).toEqual([]);
      expect(replies(connection)).toMatchObject([{ id: 1, end: complete }]);
    }
  });

  it('whose head was refused leaves its file for nobody, also before the refusal is sent', () => {
    const connection = server({}, roles.peer);
    connection.receive(bytes(asked({ FCGI_DATA_LENGTH: 'x' }), stdin(), data('123'), data()));
    expect(() => connection.next()).toThrow(expect.objectContaining({ code: 'ERR_ENV_LENGTH', id: 1 }));
    expect(connection.next()).toBeUndefined();
    expect(connection.wantsClose).toBe(false);
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
    return { connection, heard: summary(receive(connection, asked(more), ...rest)) };
  };

  it('is its own: a pull of the body gives no room to the file, and the other way round', () => {
    const { connection, heard } = begun(stdin('abcd'), stdin('efgh'), stdin(), data('1234'), data('5678'), data());
    expect(heard).toEqual(['1 request', '1 data abcd']);
    expect(connection.wantsRead).toBe(false);
    connection.pull(1, 'filter-data');
    expect(connection.wantsRead).toBe(false);
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
    receive(connection, begin(1, 1), params(pairs(plainGet)), params(), stdin());
    connection.pull(1, 'filter-data');
    whole(connection);
    expect(replies(connection)).toEqual([ok()]);
  });
});
