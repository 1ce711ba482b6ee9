import { describe, expect, it } from '@jest/globals';
import { sendHeadersText as write } from '../src/reply-head.ts';
import { hex, readMessages } from './writer.ts';

const sendHeadersText = (status: number, reason: string, headers: string[], size = 8192) =>
  write(status, reason, headers, size);
const read = (reason: string, ...headers: string[]) => readMessages(sendHeadersText(200, reason, headers))[0];

describe('sendHeadersText', () => {
  it('writes the bytes of the protocol', () => {
    expect(Buffer.from(sendHeadersText(200, 'OK', ['Content-Type', 'text/plain']), 'latin1')).toEqual(
      hex('41 42 00 19 04 00 C8 00 02 4F 4B 00 00 01 A0 01 00 0A 74 65 78 74 2F 70 6C 61 69 6E 00'),
    );
  });

  it('puts a header with a code first and keeps the order of the others', () => {
    expect(read('OK', 'X-A', '1', 'set-cookie', 'a', 'Location', '/x', 'Set-Cookie', 'b', 'X-B', '')).toMatchObject({
      headers: ['Set-Cookie*', 'a', 'X-A', '1', 'Location*', '/x', 'Set-Cookie*', 'b', 'X-B', ''],
    });
  });

  it('adds Date where none has a code', () => {
    const date = expect.stringMatching(
      /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d GMT$/,
    );
    expect(read('OK', 'X-A', '1')).toMatchObject({ headers: ['Date*', date, 'X-A', '1'] });
    expect(read('OK')).toMatchObject({ headers: ['Date*', date] });
  });

  it('never sends an empty reason', () => {
    expect(read('')).toMatchObject({ reason: 'OK' });
    expect(readMessages(sendHeadersText(299, '', []))).toMatchObject([{ status: 299, reason: '299' }]);
  });

  it('sends the status and the reason that it is given, whatever is usual', () => {
    expect(readMessages(sendHeadersText(404, 'OK', []))).toMatchObject([{ status: 404, reason: 'OK' }]);
    expect(read('Fine')).toMatchObject({ status: 200, reason: 'Fine' });
  });

  it('refuses a head that is one byte longer than a packet', () => {
    const room = 8192 - sendHeadersText(200, 'OK', ['Content-Type', '']).length;
    expect(sendHeadersText(200, 'OK', ['Content-Type', 'x'.repeat(room)]).length).toBe(8192);
    expect(() => sendHeadersText(200, 'OK', ['Content-Type', 'x'.repeat(room + 1)])).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_HEADER_BLOCK', limit: 'packetSize' }),
    );
    expect(sendHeadersText(200, 'OK', ['Content-Type', 'x'.repeat(room + 1)], 65_536).length).toBe(8193);
  });

  it('refuses a name whose length would read as the code of another', () => {
    const head = (length: number) => sendHeadersText(200, 'OK', ['x'.repeat(length), ''], 65_536);
    expect(head(0x9fff).length).toBeGreaterThan(0x9fff);
    expect(() => head(0xa000)).toThrow(expect.objectContaining({ code: 'ERR_HEADER_BLOCK' }));
  });
});
