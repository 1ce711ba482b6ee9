import { describe, expect, it } from '@jest/globals';
import { abort, begin, pair, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import { answers, bytes, closes, ENV, G1, kept, serves, withVariables } from './bad-input.ts';
import { post, receive, summary } from './driving.ts';
import { complete, ok, type Serving, serve, served, server } from './serving.ts';

describe('PARAMS and STDIN out of order', () => {
  const post = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' });

  it('vF85 a second end of PARAMS starts nothing', () => {
    serves(bytes(begin(), params(ENV), params(), params(), stdin()));
    const before = bytes(begin(), params(post), params(), params(), stdin('abc'), params(), stdin(), params());
    expect(served(before, { answer: 'never' }).asked).toMatchObject([{ body: 'abc', ended: 'end' }]);
  });

  it('vF86 PARAMS behind their end close the connection, and change nothing that was handed out', () => {
    const input = bytes(begin(), params(ENV), params(), params(pair('REMOTE_USER', 'root')), stdin());
    const outcome = served(input, { answer: 'never' });
    expect(outcome).toMatchObject({ errors: ['ERR_FCGI_STATE'], output: '', close: 'reset' });
    expect(outcome.asked.map(({ variables }) => variables)).toEqual([plainGet]);
  });

  it('vF90 STDIN may come before the end of PARAMS', () => {
    expect(serves(bytes(begin(), stdin('abc'), params(post), params(), stdin())).body).toBe('abc');
    expect(serves(bytes(begin(), stdin('ab'), params(post), stdin('c'), params(), stdin())).body).toBe('abc');
    expect(serves(bytes(begin(), stdin('ab'), params(post), params(), stdin('c'), stdin())).body).toBe('abc');
  });

  it('vF90 STDIN may even end before PARAMS do', () => {
    expect(serves(bytes(begin(), stdin('abc'), stdin(), params(post), params())).body).toBe('abc');
    const open = pairs({ ...plainGet, REQUEST_METHOD: 'POST' });
    expect(serves(bytes(begin(), stdin('abc'), stdin(), params(open), params()))).toMatchObject({
      body: 'abc',
      ended: 'end',
    });
    expect(serves(bytes(begin(), stdin(), params(open), params()))).toMatchObject({ body: '', ended: 'end' });
    const short = served(bytes(begin(), stdin('ab'), stdin(), params(post), params()));
    expect(short.asked).toMatchObject([{ body: 'ab', ended: 'ERR_BODY_SHORT' }]);
  });

  it('vF93 STDIN behind its end closes, also when it ended before PARAMS did', () => {
    closes('ERR_FCGI_STATE', bytes(begin(), stdin(), stdin('x')));
    const outcome = served(bytes(G1, stdin('x')), { answer: 'never' });
    expect(outcome).toMatchObject({ errors: ['ERR_FCGI_STATE'], output: '', close: 'reset' });
  });

  it('vF94 a second end of STDIN is ignored', () => {
    serves(bytes(G1, stdin()));
    expect(served(bytes(G1, stdin()), { answer: 'never' })).toMatchObject({ errors: [], output: '' });
    expect(serves(bytes(begin(), stdin(), stdin(), params(ENV), params()))).toMatchObject({ body: '', ended: 'end' });
  });

  it('more STDIN before the end of PARAMS than may wait is answered 400, by its header', () => {
    const limits = { bodyHighWater: 16 };
    const early = (...lengths: number[]): Buffer =>
      bytes(begin(), ...lengths.map((length) => stdin('x'.repeat(length))));
    expect(serve([bytes(early(8, 8), params(ENV), params(), stdin())], { limits }).replies).toEqual([ok()]);
    answers(400, 'ERR_FCGI_STATE', early(8, 9), { limits });
    answers(400, 'ERR_FCGI_STATE', bytes(early(8), record(5, 1, 'x'.repeat(9)).subarray(0, 8)), { limits });
  });
});

describe('bodies', () => {
  const post = (length: string | undefined, ...rest: Uint8Array[]): Buffer => {
    const more: Record<string, string> = length === undefined ? {} : { CONTENT_LENGTH: length };
    return bytes(begin(1, 1), params(pairs({ ...plainGet, REQUEST_METHOD: 'POST', ...more })), params(), ...rest);
  };

  it('vF68 HTTP_TRANSFER_ENCODING means a body up to the end of STDIN, and is not told', () => {
    const asked = serves(withVariables({ HTTP_TRANSFER_ENCODING: 'chunked', CONTENT_LENGTH: '' }, 'abc'));
    expect(asked).toMatchObject({ body: 'abc', ended: 'end', variables: plainGet });
  });

  it('vF67 HTTP_CONTENT_LENGTH says nothing about the body', () => {
    const asked = serves(withVariables({ HTTP_CONTENT_LENGTH: '5', CONTENT_LENGTH: '3' }, 'abc'));
    expect(asked).toMatchObject({ body: 'abc', ended: 'end', variables: { ...plainGet, CONTENT_LENGTH: '3' } });
  });

  it('vF70 an empty CONTENT_LENGTH means a body up to the end of STDIN', () => {
    expect(serves(post('', stdin('ab'), stdin('c'), stdin()))).toMatchObject({ body: 'abc', ended: 'end' });
    expect(serves(post(undefined, stdin('abc'), stdin()))).toMatchObject({ body: 'abc', ended: 'end' });
    expect(serves(post('', stdin()))).toMatchObject({ body: '', ended: 'end' });
  });

  it('vF71 CONTENT_LENGTH may have leading zeros', () => {
    expect(serves(post('0003', stdin('abc'), stdin())).body).toBe('abc');
  });

  it('vF91 a body that ends early is an error, and the request can still be answered', () => {
    const outcome = served(post('10', stdin('abc'), stdin()));
    expect(outcome.asked).toMatchObject([{ body: 'abc', ended: 'ERR_BODY_SHORT' }]);
    expect(outcome.replies).toEqual([
      expect.objectContaining({ stdout: expect.stringMatching(/^Status: 400 /), end: complete }),
    ]);
    expect(served(post('10', stdin())).asked).toMatchObject([{ body: '', ended: 'ERR_BODY_SHORT' }]);
  });

  it('vF92 of a body that goes on the application sees CONTENT_LENGTH bytes', () => {
    expect(serves(post('3', stdin('abcdefghij'), stdin()))).toMatchObject({ body: 'abc', ended: 'end' });
    expect(serves(post('3', stdin('ab'), stdin('cdef'), stdin('gh'), stdin()))).toMatchObject({
      body: 'abc',
      ended: 'end',
    });
    expect(serves(post('0', stdin('abc'), stdin()))).toMatchObject({ body: '', ended: 'end' });
    expect(serves(bytes(begin(), params(ENV), params(), stdin('x'), stdin()))).toMatchObject({
      body: '',
      ended: 'end',
    });
  });

  it('vF95 what comes late for an answered id is thrown away, free of charge', () => {
    const late = Array.from({ length: 160 }, () => stdin('x'.repeat(65_535)));
    const outcome = serve([post('99999999'), ...late, stdin(), kept], { answer: 'head' });
    expect(outcome).toMatchObject({ errors: [], replies: [ok(), ok()], close: false });
    expect(outcome.asked).toMatchObject([{ body: '' }, { body: '' }]);
  });
});

describe('an answered id', () => {
  it('is forgotten at the end of its STDIN, or of a STDIN that came whole: then what comes belongs to none', () => {
    const late = Array.from({ length: 65 }, () => stdin('x'));
    const upload = bytes(post(1, 9), stdin('123'));
    expect(serve([upload, ...late], { answer: 'head' }).errors).toEqual([]);
    expect(serve([upload, stdin(), ...late], { answer: 'head' }).errors).toEqual(['ERR_FCGI_JUNK']);
    expect(serve([post(1, 3), stdin('123'), stdin(), ...late]).errors).toEqual(['ERR_FCGI_JUNK']);
    expect(serve([kept, ...late]).errors).toEqual(['ERR_FCGI_JUNK']);
  });
});

describe('ABORT_REQUEST', () => {
  const aborted = { id: 1, stdout: '', stderr: '', closed: false, end: '0000000100000000' };

  it.each([
    ['vF99 without content', abort()],
    ['vF100 with content', abort(1, '12345678')],
  ])('%s ends a running request, once', (_, one) => {
    const outcome = served(bytes(begin(1, 1), params(ENV), params(), one, stdin()), { answer: 'never' });
    expect(outcome).toMatchObject({ errors: [], asked: [{ ended: 'ERR_ABORTED' }], close: false });
    expect(outcome.replies).toEqual([aborted]);
    expect(served(bytes(kept, one), { answer: 'never' }).replies).toEqual([aborted]);
  });

  it('ends a request whose head is not complete without the application hearing of it', () => {
    for (const head of [begin(1, 1), bytes(begin(1, 1), params(ENV)), bytes(begin(1, 1), stdin('x'))]) {
      const outcome = served(bytes(head, abort(), params(), stdin()));
      expect(outcome).toMatchObject({ asked: [], errors: [], replies: [aborted], close: false });
    }
  });

  it('forgets a request that had come whole: what comes for its id belongs to none', () => {
    const late = bytes(...Array.from({ length: 65 }, () => stdin('x')));
    expect(serve([bytes(kept, abort(), late)], { answer: 'never' }).errors).toEqual(['ERR_FCGI_JUNK']);
  });

  it('vF103 in the middle of STDIN throws the rest of it away', () => {
    const variables = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '9' });
    const head = bytes(begin(1, 1), params(variables), params());
    const outcome = served(bytes(head, stdin('x'), abort(), stdin('y'), stdin(), kept), { answer: 'never' });
    expect(outcome.asked).toMatchObject([{ body: 'x', ended: 'ERR_ABORTED' }, { ended: 'end' }]);
    expect(outcome.replies).toEqual([aborted]);
    expect(outcome.errors).toEqual([]);
  });
});

describe('FIN', () => {
  it('vF12 behind nothing closes in silence', () => {
    expect(serve([], { fin: true })).toMatchObject({ asked: [], errors: [], output: '', close: 'fin' });
  });

  it('vF13 vF14 in the middle of a head closes, and the application is not asked', () => {
    const head = G1.length - 8;
    for (let length = 1; length < head; length++) {
      const { asked, errors, output, close } = serve([G1.subarray(0, length)], { fin: true, answer: 'never' });
      expect([length, asked, errors, output, close]).toEqual([length, [], [], '', 'fin']);
    }
  });

  it('vF15 in the middle of padding finds the request dispatched, once', () => {
    const input = bytes(begin(), params(ENV), params(), stdin('', 1, { padding: 8 }).subarray(0, 11));
    expect(served(input, { fin: true })).toMatchObject({ replies: [ok()], errors: [], close: 'fin' });
    expect(served(input, { fin: true, answer: 'never' })).toMatchObject({
      asked: [{ ended: 'ERR_ABORTED' }],
      output: '',
    });
  });

  it('vF104 while the application works aborts its request, and nothing is written', () => {
    for (const input of [G1, kept]) {
      const outcome = served(input, { fin: true, answer: 'never' });
      expect(outcome).toMatchObject({ asked: [{ ended: 'ERR_ABORTED' }], errors: [], output: '', close: 'fin' });
    }
  });

  it('vF105 in the middle of a body aborts the request', () => {
    const input = withVariables({ CONTENT_LENGTH: '10' }, 'abc').subarray(0, -8);
    expect(served(input, { fin: true })).toMatchObject({ asked: [{ body: 'abc', ended: 'ERR_ABORTED' }], output: '' });
  });

  it('behind a complete request is a half-close where the address says so', () => {
    const serving: Serving = { fin: true, peer: { halfCloseServes: true } };
    expect(served(kept, serving)).toMatchObject({ asked: [{ ended: 'end' }], replies: [ok()], close: 'fin' });
    const running = served(kept, { ...serving, answer: 'never' });
    expect(running).toMatchObject({ asked: [{ ended: 'end' }], output: '', close: false });
    const short = served(withVariables({ CONTENT_LENGTH: '10' }, 'abc').subarray(0, -8), serving);
    expect(short).toMatchObject({ asked: [{ ended: 'ERR_ABORTED' }], output: '', close: 'fin' });
  });

  it('behind a body that was short is a half-close too where the address says so', () => {
    const connection = server({}, { halfCloseServes: true });
    expect(summary(receive(connection, post(1, 9), stdin('abc'), stdin()))).toEqual([
      '1 request',
      '1 data abc',
      '1 body-error',
    ]);
    connection.receiveEnd();
    expect(receive(connection)).toEqual([]);
    expect(connection.wantsClose).toBe(false);
  });

  it('aborts every running request of a connection, and no other', () => {
    const three = bytes(...[1, 2, 3].map((id) => request(plainGet, { id, flags: 1 })));
    for (const rest of [Buffer.alloc(0), begin(4, 1), begin(4, 1).subarray(0, 9)]) {
      const outcome = serve([three, rest], { fin: true, answer: 'never' });
      expect(outcome.asked.map(({ id, ended }) => [id, ended])).toEqual([1, 2, 3].map((id) => [id, 'ERR_ABORTED']));
      expect(outcome).toMatchObject({ errors: [], output: '', close: 'fin' });
    }
  });

  it('within a head leaves a complete request to its reply where FIN is a half-close', () => {
    const outcome = serve([kept, begin(4, 1)], { fin: true, answer: 'never', peer: { halfCloseServes: true } });
    expect(outcome).toMatchObject({ asked: [{ ended: 'end' }], errors: [], output: '', close: false });
  });
});
