import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  abort,
  begin,
  cutAt,
  hex,
  pair,
  pairs,
  params,
  plainGet,
  readRecords,
  record,
  request,
  stdin,
} from '@postern/testkit';
import { both, bytes, closes, ENV, G1, kept, serves } from './bad-input.ts';
import { complete, ok, serve, served } from './serving.ts';

const serverTypes = [3, 6, 7, 10, 11];

describe('well-formed requests', () => {
  it('vF1 the plain GET is answered, and without KEEP_CONN the connection closes', () => {
    expect(served(G1)).toMatchObject({ errors: [], replies: [ok()], others: [], close: 'fin' });
  });

  it('vF2 an id is used again on a kept connection, and nothing of the first request is left', () => {
    const first = request({ ...plainGet, REMOTE_USER: 'root' }, { flags: 1 });
    const outcome = served(bytes(first, kept));
    expect(outcome).toMatchObject({ errors: [], replies: [ok(), ok()], close: false });
    expect(outcome.asked.map(({ variables }) => variables.REMOTE_USER)).toEqual(['root', undefined]);
  });

  it('vF7 the reserved byte of a header may be anything', () => {
    const extras = { reserved: 0xff };
    serves(bytes(begin(1, 0, 1, extras), params(ENV, 1, extras), params('', 1, extras), stdin('', 1, extras)));
  });

  it('vF8 padding of 255 bytes reaches neither the variables nor the body', () => {
    const extras = { padding: 255, fill: 0xaa };
    const variables = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '3' });
    const parts = [params(variables, 1, extras), params('', 1, extras), stdin('abc', 1, extras), stdin('', 1, extras)];
    const asked = serves(bytes(begin(1, 0, 1, extras), ...parts));
    expect(asked).toMatchObject({ body: 'abc', variables: { ...plainGet, REQUEST_METHOD: 'POST' } });
  });

  it('vF9 padding may be odd', () => {
    serves(
      bytes(begin(1, 0, 1, { padding: 1 }), params(ENV, 1, { padding: 3 }), params('', 1, { padding: 5 }), stdin()),
    );
  });

  it('vF10 the end of PARAMS may have padding', () => {
    serves(bytes(begin(), params(ENV), hex('01 04 00 01 00 00 ff 00'), Buffer.alloc(255), stdin()));
  });

  it('vF11 a record of the largest size arrives whole', () => {
    const body = Buffer.from(Array.from({ length: 65_535 }, (_, i) => (i * 7) & 255));
    const variables = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '65535' });
    const input = bytes(begin(), params(variables), params(), stdin(body, 1, { padding: 255, fill: 0xaa }), stdin());
    const sha = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    for (const size of [1000, 4096, 65_536, input.length]) {
      const cuts = Array.from({ length: Math.floor((input.length - 1) / size) }, (_, i) => (i + 1) * size);
      const [asked] = serve(cutAt(input, cuts)).asked;
      expect(sha(Buffer.from(asked.body, 'latin1'))).toBe(sha(body));
    }
  });

  it('vF16 two requests in one write are both answered, each under its own id', () => {
    const two = bytes(request(plainGet, { flags: 1 }), request(plainGet, { id: 2, flags: 1 }));
    expect(served(two)).toMatchObject({ errors: [], replies: [ok(1), ok(2)], close: false });
  });

  it('vF16 with room for one request at once a second gets CANT_MPX_CONN, and the first its reply', () => {
    const second = bytes(begin(2, 1), params(ENV, 2), params('', 2), stdin('', 2));
    const input = bytes(begin(1, 1), second, params(ENV), params(), stdin());
    expect(served(input, { limits: { maxConcurrentPerConnection: 1 } })).toMatchObject({
      errors: [],
      asked: [{ id: 1 }],
      replies: [{ id: 2, stdout: '', closed: false, end: '0000000001000000' }, ok(1)],
    });
  });

  it('vF42 an id may be 65535', () => {
    expect(served(request(plainGet, { id: 65_535 })).replies).toEqual([ok(65_535)]);
  });

  it('vF40 the reserved bytes of BEGIN_REQUEST may be anything', () => {
    serves(bytes(hex('01 01 00 01 00 08 00 00 00 01 00 01 02 03 04 05'), G1.subarray(16)));
  });

  it('vF39 of the flags only bit 0 keeps the connection', () => {
    expect(served(request(plainGet, { flags: 0xfe }))).toMatchObject({ replies: [ok()], close: 'fin' });
    expect(served(request(plainGet, { flags: 0xff }))).toMatchObject({ replies: [ok()], close: false });
  });
});

describe('other protocols', () => {
  it.each([
    ['vF3 version 0', '00 01 00 01 00 08 00 00 00 01 00 00 00 00 00 00'],
    ['vF4 version 2', '02 01 00 01 00 08 00 00 00 01 00 00 00 00 00 00'],
    ['vF5 plain HTTP', '47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a'],
    ['vF6 TLS', '16 03 01 02 00 01 00 00 01 fc 03 03'],
  ])('%s closes the connection', (_, input) => closes('ERR_FCGI_VERSION', hex(input)));

  it.each([0, 2, 0x16, 0x47, 0x12, 0x30, 0xff])('the first byte %d is enough to tell', (byte) => {
    closes('ERR_FCGI_VERSION', Uint8Array.of(byte));
  });
});

describe('records of a wrong kind', () => {
  it('vF17 type 0 of the connection is an unknown management record', () => {
    const outcome = both(hex('01 00 00 00 00 00 00 00'));
    expect(Buffer.from(outcome.output, 'latin1')).toEqual(hex('01 0b 00 00 00 08 00 00 00 00 00 00 00 00 00 00'));
    expect(outcome.close).toBe(false);
  });

  it('vF18 an unknown management record is answered, its content skipped, and the connection goes on', () => {
    const outcome = both(bytes(hex('01 0c 00 00 00 05 00 00 68 65 6c 6c 6f'), G1));
    expect(outcome.others).toEqual([expect.objectContaining({ type: 11, id: 0, content: '\x0c\0\0\0\0\0\0\0' })]);
    expect(outcome.replies).toEqual([ok()]);
  });

  it('vF19 the answer to an unknown management record names its type', () => {
    const { output } = both(hex('01 ff 00 00 00 00 00 00'));
    expect(Buffer.from(output, 'latin1')).toEqual(hex('01 0b 00 00 00 08 00 00 ff 00 00 00 00 00 00 00'));
  });

  it('vF20 vF21 a record of an unknown type for an id is ignored, be the id idle or active', () => {
    const unknown = hex('01 0c 00 01 00 00 00 00');
    serves(bytes(unknown, G1));
    serves(bytes(G1.subarray(0, 16), unknown, G1.subarray(16)));
  });

  it.each(serverTypes)('vF22 vF23 vF24 type %d, which only an application sends, closes without an answer', (type) => {
    for (const id of [0, 1]) {
      closes('ERR_FCGI_RECORD', record(type, id, 'x'));
      closes('ERR_FCGI_RECORD', record(type, id));
    }
  });

  it('vF25 BEGIN_REQUEST with id 0 closes', () => closes('ERR_FCGI_RECORD', begin(0)));

  it.each([2, 4, 5, 8])('vF26 type %d with id 0 closes', (type) => {
    closes('ERR_FCGI_RECORD', record(type, 0));
    closes('ERR_FCGI_RECORD', record(type, 0, 'x'));
  });

  it.each([
    ['vF34', 7],
    ['vF35', 16],
    ['vF36', 0],
  ])('%s BEGIN_REQUEST with %d bytes closes, by its header alone', (_, length) => {
    closes('ERR_FCGI_RECORD', record(1, 1, Buffer.alloc(length)));
    closes('ERR_FCGI_RECORD', record(1, 1, Buffer.alloc(length)).subarray(0, 8));
  });

  it.each([0, 2, 3, 4, 65_535])(
    'vF37 vF38 the role %d ends with UNKNOWN_ROLE, and the rest of its request is free',
    (role) => {
      const rest = bytes(params(ENV), params(), stdin('abc'), stdin());
      // an authorizer's ends with a denial, see roles.test.ts
      const reply = role === 2 ? { stdout: expect.stringMatching(/^Status: 500 /), closed: true } : { stdout: '' };
      const end = { id: 1, stderr: '', closed: false, ...reply, end: '0000000003000000' };
      expect(both(bytes(begin(1, 1, role), rest))).toMatchObject({
        asked: [],
        errors: [],
        replies: [end],
        close: false,
      });
      expect(both(bytes(begin(1, 0, role), rest))).toMatchObject({
        asked: [],
        errors: [],
        replies: [end],
        close: 'fin',
      });
      const many = bytes(begin(1, 1, role), ...Array.from({ length: 200 }, () => stdin('x')), stdin(), kept);
      expect(serve([many])).toMatchObject({ errors: [], replies: [end, ok()] });
    },
  );

  it('vF37 the END_REQUEST of an unknown role is the one of the specification', () => {
    const { output } = served(hex('01 01 00 01 00 08 00 00 00 04 01 00 00 00 00 00'));
    expect(Buffer.from(output, 'latin1')).toEqual(hex('01 03 00 01 00 08 00 00 00 00 00 00 03 00 00 00'));
  });

  it('vF97 DATA for a Responder is ignored', () => {
    const data = record(8, 1, 'x');
    serves(bytes(begin(), data, params(ENV), data, params(), data, stdin()));
  });
});

describe('records of no request', () => {
  it('vF45 PARAMS and STDIN for an id that was never begun are ignored 64 times, then the connection closes', () => {
    for (const one of [params('x', 9), stdin('x', 9), stdin('', 9), record(8, 9, 'x'), record(12, 9), abort(9)]) {
      const flood = (count: number): Buffer => bytes(...Array.from({ length: count }, () => one));
      expect(serve([bytes(flood(64), kept)])).toMatchObject({ errors: [], replies: [ok()] });
      expect(serve([bytes(flood(65), kept)])).toMatchObject({ errors: ['ERR_FCGI_JUNK'], asked: [], output: '' });
    }
  });

  it('a request between starts the count again', () => {
    const junk = bytes(...Array.from({ length: 64 }, () => stdin('x', 9)));
    expect(serve([bytes(junk, kept, junk, kept, junk)])).toMatchObject({ errors: [], replies: [ok(), ok()] });
  });

  it('vF96 a flood of empty records closes after 64 of them', () => {
    const flood = Buffer.alloc(8_000_000, hex('01 05 00 09 00 00 00 00'));
    expect(serve([flood])).toMatchObject({ errors: ['ERR_FCGI_JUNK'], output: '' });
  });

  it('vF96 a flood of empty records for an active id closes too', () => {
    for (const [one, start] of [
      [params(), G1.subarray(0, -8)],
      [stdin(), G1],
    ] as const) {
      const flood = bytes(start, ...Array.from({ length: 66 }, () => one));
      expect(serve([flood], { answer: 'never' })).toMatchObject({ errors: ['ERR_FCGI_JUNK'], output: '' });
    }
  });

  it('vF101 an ABORT_REQUEST that comes twice, after the end or for an unknown id is ignored', () => {
    expect(both(abort(7))).toMatchObject({ errors: [], output: '', close: false });
    expect(served(bytes(kept, abort(), abort()))).toMatchObject({ errors: [], replies: [ok()], close: false });
    const twice = served(bytes(kept, abort(), abort()), { answer: 'never' });
    expect(twice).toMatchObject({ errors: [], replies: [{ id: 1, stdout: '', end: '0000000100000000' }] });
    expect(twice.replies).toHaveLength(1);
  });

  it('vF102 a flood of requests that are aborted before their head ends, each one answered', () => {
    const flood = bytes(...Array.from({ length: 101 }, () => bytes(begin(1, 1), abort())));
    const outcome = serve([flood]);
    expect(outcome).toMatchObject({ asked: [], errors: ['ERR_FLOOD'], close: 'reset' });
    expect(outcome.replies).toHaveLength(100);
    for (const reply of outcome.replies) expect(reply).toMatchObject({ stdout: '', end: '0000000100000000' });
  });
});

describe('ids', () => {
  it('vF41 BEGIN_REQUEST for an active id closes', () => {
    closes('ERR_FCGI_STATE', bytes(begin(), begin()));
    const running = serve([bytes(kept, begin())], { answer: 'never' });
    expect(running).toMatchObject({ errors: ['ERR_FCGI_STATE'], output: '', close: 'reset' });
  });

  it('vF43 one request more than there is room for is answered 503, the others go on', () => {
    const begins = bytes(...Array.from({ length: 17 }, (_, i) => begin(i + 1, 1)));
    const outcome = served(begins, { limits: { maxConcurrentPerConnection: 16 } });
    expect(outcome).toMatchObject({ errors: [], close: false });
    expect(outcome.replies).toEqual([
      {
        id: 17,
        stdout: expect.stringMatching(/^Status: 503 .*\r\nRetry-After: 1\r\n/s),
        stderr: '',
        closed: true,
        end: complete,
      },
    ]);
  });

  it('vF44 vF87 a head that never ends keeps the application from starting', () => {
    for (const input of [begin(), bytes(begin(), params(ENV)), bytes(begin(), params(ENV), stdin('x'), stdin())]) {
      expect(served(input)).toMatchObject({ asked: [], errors: [], output: '', close: false });
    }
  });
});

describe('what closes a connection', () => {
  it('is the last that is read of it', () => {
    expect(served(bytes(G1, G1))).toMatchObject({ asked: [{ id: 1 }], replies: [ok()], errors: [], close: 'fin' });
    expect(serve([bytes(G1, G1)]).asked).toHaveLength(1);
    expect(serve([bytes(G1, hex('ff'))])).toMatchObject({ replies: [ok()], errors: [], close: 'fin' });
    expect(serve([hex('ff'), G1])).toMatchObject({ asked: [], errors: ['ERR_FCGI_VERSION'], output: '' });
  });

  it('a refused request closes it behind its answer, whatever its flags', () => {
    const input = bytes(begin(1, 1), params(hex('00 00')), params(), stdin(), kept);
    const outcome = served(input);
    expect(outcome).toMatchObject({ asked: [], errors: ['ERR_ENV_NAME 400 1'], close: 'fin' });
    expect(outcome.replies).toHaveLength(1);
  });
});

describe('every record of every answer', () => {
  it('has version 1, no reserved bits, zeros for padding and a length that is a multiple of eight', () => {
    const { output } = serve([bytes(record(200, 0), record(9, 0, pair('FCGI_MAX_REQS', '')), begin(2, 1, 9), G1)]);
    const records = readRecords(output);
    expect(records.length).toBeGreaterThan(5);
    for (const { version, reserved, content, padding } of records) {
      expect([version, reserved, padding.replaceAll('\0', '')]).toEqual([1, 0, '']);
      expect((content.length + padding.length) % 8).toBe(0);
    }
  });
});
