import { describe, expect, it, jest } from '@jest/globals';
import { readRecords } from '@postern/testkit';
import { sendRequest } from '../../../packages/client/src/call.ts';
import { type AnswerVector, answered, clientOf, framed, requestOf, sendHeadersOf } from './encoders/answer.ts';
import { bodyVectors } from './encoders/bodies.ts';
import { headVectors } from './encoders/heads.ts';
import { refusedVariables, takenVariables, textOf } from './encoders/variables.ts';
import { observe } from './observe.ts';

describe.each(framed)('what an application gives, over %s', (protocol) => {
  for (const vector of [...headVectors, ...bodyVectors]) {
    for (const [name, answer] of Object.entries(vector.answers)) {
      const which = `${protocol}: ${name.slice(0, 40)}`.replaceAll(/[()]/g, '');
      it(`${vector.row}: ${vector.title} (${which})`, async () =>
        expectAnswer(vector, await answered(protocol, answer, vector), protocol));
    }
  }

  it(`vE20: padding and reserved bytes are zero, whatever lay in the memory before (${protocol})`, async () => {
    const dirty = (size: number): Buffer<ArrayBuffer> => Buffer.alloc(size, 0xaa);
    const spies = [jest.spyOn(Buffer, 'allocUnsafe'), jest.spyOn(Buffer, 'allocUnsafeSlow')];
    for (const spy of spies) spy.mockImplementation(dirty);
    try {
      for (let size = 0; size < 64; size++) {
        const body = Buffer.alloc(size * 300 + size, 0x20);
        for (const answer of [() => ({ status: 200, body }), () => ({ status: 200, body: [body] })]) {
          const { output } = await answered(protocol, answer);
          expect(output).not.toContain('\xaa');
          if (protocol === 'fastcgi') expectClean(output);
        }
        const request = requestOf(protocol, 'GET', 'HTTP_X', 'x'.repeat(size)).toString('latin1');
        expect(request).not.toContain('\xaa');
        if (protocol === 'fastcgi') expectClean(request);
      }
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  const directive = `${protocol}_buffer_size`;

  it(`vE25: headers above 4096 bytes are sent, with one line for the operator where nginx may be in front (${protocol})`, async () => {
    const name = 'X-Long-Enough';
    const give = (size: number) => () => ({
      status: 200,
      headers: { [name]: 'x'.repeat(size - name.length - 4) },
      body: 'hi',
    });
    const nginx = ['SERVER_SOFTWARE', 'nginx/1.22.1'];
    const { answers, log } = await answered(protocol, give(4097), { more: nginx });
    expect(answers).toEqual(['200']);
    const told = protocol === 'ajp' ? [] : [expect.stringContaining(directive)];
    expect(log.map(({ message }) => message)).toEqual(told);
    expect((await answered(protocol, give(4096), { more: nginx })).log).toEqual([]);
    expect((await answered(protocol, give(4097), { more: ['SERVER_SOFTWARE', 'Apache/2.4.62'] })).log).toEqual([]);
  });

  it(`vE25: many long heads are one line (${protocol})`, async () => {
    const app = (): { status: number; headers: Record<string, string> } => ({
      status: 200,
      headers: { 'X-A': 'x'.repeat(5000) },
    });
    const { log } = await answered(protocol, app);
    expect(log.length).toBe(protocol === 'ajp' ? 0 : 1);
  });
});

function expectAnswer(
  { status, body, reported = [], check }: AnswerVector,
  seen: Awaited<ReturnType<typeof answered>>,
  protocol: (typeof framed)[number],
): void {
  expect(seen.answers).toEqual(status === 'none' ? [] : [status]);
  if (body !== undefined) expect(seen.bodies).toEqual([body]);
  expect(seen.reported).toEqual(reported);
  expect(seen.log).toEqual([]);
  check?.(seen, protocol);
}

/** FastCGI records, of which what means nothing is zero. */
function expectClean(bytes: string): void {
  for (const { type, content, padding, reserved } of readRecords(Buffer.from(bytes, 'latin1'))) {
    expect([type, reserved, padding.replaceAll('\0', '')]).toEqual([type, 0, '']);
    if (type === 1 || type === 3) expect(content.slice(-3)).toBe('\0\0\0');
  }
}

describe('records of a reply over FastCGI', () => {
  it.each([65_536, 200_000])(
    'vE19: a piece of %i bytes goes in records of 65,528 bytes, and no record is empty but the last',
    async (size) => {
      for (const body of [[Buffer.alloc(size)], Buffer.alloc(size)]) {
        const { output } = await answered('fastcgi', () => ({ status: 200, body }));
        const sizes = readRecords(Buffer.from(output, 'latin1')).flatMap(({ type, content }) =>
          type === 6 ? [content.length] : [],
        );
        expect(sizes.at(-1)).toBe(0);
        expect(sizes.slice(0, -1).every((length) => length > 0 && length <= 65_528)).toBe(true);
        expect(sizes.slice(0, -2).every((length) => length === 65_528 || length < 100)).toBe(true);
      }
    },
  );
});

describe('packets of a reply over AJP', () => {
  it('vE21: a head that does not fit one packet is a 500, and the log names packetSize', async () => {
    const headers = Array.from({ length: 9 }, (_, i) => ['Set-Cookie', `${i}=${'x'.repeat(1020)}`] as const);
    const failures: unknown[] = [];
    const handler = (exchange: Parameters<Parameters<typeof observe>[1]['app'] & object>[0]): void => {
      try {
        exchange.respond(200, 'OK', headers.flat(), 'hi');
      } catch (error) {
        failures.push(error);
        throw error;
      }
    };
    const { answers, output } = await answered('ajp', { handler });
    expect(answers).toEqual(['500']);
    expect(sendHeadersOf(output).fields.map(([name]) => name)).not.toContain('Set-Cookie');
    expect(failures).toMatchObject([
      { code: 'ERR_HEADER_BLOCK', message: expect.stringMatching(/packetSize is 8192/) },
    ]);
  });

  it('vE21: a head that fills one packet is sent with all of its fields', async () => {
    const headers = { 'Set-Cookie': Array.from({ length: 7 }, (_, i) => `${i}=${'x'.repeat(1020)}`) };
    const { answers, output } = await answered('ajp', () => ({ status: 200, headers, body: 'hi' }));
    expect(answers).toEqual(['200']);
    expect(sendHeadersOf(output).fields).toHaveLength(7);
  });

  it.each([
    [200, 'OK'],
    [299, '299'],
  ])('vE22: a %i without a reason phrase has one on the wire', async (status, reason) => {
    const { output } = await answered('ajp', () => ({ status, reason: '', body: 'hi' }));
    expect(sendHeadersOf(output).reason).toBe(reason);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['Content-Type', { 'X-A': 'a', 'content-type': 'text/plain', 'X-B': 'b' }, ['Content-Type', 'X-A', 'X-B']],
    ['Content-Length', { 'X-A': 'a', 'Content-Length': '2' }, ['Content-Length', 'X-A']],
    ['Date, where no other has a code', { 'X-A': 'a' }, ['Date', 'X-A']],
    ['Date, where there is none', {}, ['Date']],
  ])('vE23: the first header is a coded one: %s', async (_, headers, names) => {
    const { output } = await answered('ajp', () => ({ status: 200, headers, body: 'hi' }));
    const { coded, fields } = sendHeadersOf(output);
    expect(coded).toBe(true);
    expect(fields.map(([name]) => name)).toEqual(names);
  });
});

describe.each(framed)('what a caller of our client gives, over %s', (protocol) => {
  it.each(refusedVariables(protocol))(
    `vE26: a variable that cannot be sent is refused before a byte is written: %s (${protocol})`,
    (_, variables, code) => {
      const client = clientOf(protocol);
      const all = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', ...variables];
      expect(() => client.send({ type: 'request', id: 1, variables: all, keep: false })).toThrow(
        expect.objectContaining({ name: 'LocalProtocolError', code }),
      );
      expect([textOf(client), client.queued(1), client.ready, client.wantsClose]).toEqual(['', 0, true, false]);
    },
  );

  it.each(takenVariables(protocol))(
    `vE26: what can be sent arrives as it is: %s (${protocol})`,
    async (_, name, value) => {
      const { asked } = await observe(protocol, {}, [requestOf(protocol, 'GET', name, value)]);
      expect(asked.map(({ variables }) => variables[name])).toEqual([value]);
    },
  );

  it(`vE27: variables that change while they are read are read once, and the lengths are right (${protocol})`, async () => {
    let reads = 0;
    const variables = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', 'SERVER_PROTOCOL', 'HTTP/1.1', 'HTTP_X', ''];
    Object.defineProperty(variables, 7, {
      get: () => {
        reads++;
        return reads === 1 ? 'once' : `${'longer'.repeat(reads)}\0\r\nHTTP_Y: evil`;
      },
    });
    const client = clientOf(protocol);
    sendRequest(client, 1, { variables }, false);
    client.send({ type: 'end', id: 1 });
    const { asked, answers } = await observe(protocol, {}, [Buffer.from(textOf(client), 'latin1')]);
    expect(answers).toEqual(['200']);
    expect(asked.map(({ variables: { HTTP_X } }) => HTTP_X)).toEqual(['once']);
  });
});
