import { describe, expect, it } from '@jest/globals';
import { replyHeaders } from '../src/constants.ts';
import { readChunk, readReplyHead } from '../src/reply-reader.ts';
import { chunk, type Field, headers } from './container.ts';
import { hex } from './writer.ts';

const read = (fields: Field[], extras = {}, most = 256) => readReplyHead(headers(fields, extras).subarray(4), most);
const refused = (fields: Field[], extras = {}, code = 'ERR_REPLY') =>
  expect(() => read(fields, extras)).toThrow(expect.objectContaining({ name: 'RemoteProtocolError', code }));

describe('readReplyHead', () => {
  it('reads the bytes of the protocol', () => {
    const bytes = hex('04 00 C8 00 02 4F 4B 00 00 01 A0 01 00 0A 74 65 78 74 2F 70 6C 61 69 6E 00');
    expect(readReplyHead(bytes, 1)).toEqual({ status: 200, reason: 'OK', headers: ['Content-Type', 'text/plain'] });
  });

  it('knows every code, and drops the status that is a header', () => {
    const fields = replyHeaders.map((_, i): Field => [0xa001 + i, i === 2 ? '5' : `v${i}`]);
    const expected = replyHeaders.flatMap((name, i) => (name === 'Status' ? [] : [name, i === 2 ? '5' : `v${i}`]));
    expect(read([...fields, ['status', '404']]).headers).toEqual(expected);
    expect(expected.length).toBe(20);
  });

  it('keeps names and their order, repeated ones too', () => {
    const fields: Field[] = [
      ['X-A', ' 1\t'],
      [0xa007, 'a'],
      ['set-cookie', 'b'],
      ['__proto__', ''],
      ['x', null],
    ];
    expect(read(fields).headers).toEqual(['X-A', '1', 'Set-Cookie', 'a', 'set-cookie', 'b', '__proto__', '', 'x', '']);
  });

  it.each([
    [200, null, 'OK'],
    [200, '', 'OK'],
    // Tomcat
    [404, '404', 'Not Found'],
    [404, '405', '405'],
    [299, '', '299'],
    [999, 'Fine', 'Fine'],
  ])('reads the status %d with the reason %j as %j', (status, reason, expected) => {
    expect(read([], { status, reason })).toMatchObject({ status, reason: expected });
  });

  it.each([0, 99, 100, 101, 103, 199, 1000, 65_535])('refuses the status %d', (status) => refused([], { status }));

  it.each(['a\r\nb', '\x7f', 'a\x01'])('refuses the reason %j', (reason) => refused([], { reason }));

  it.each<Field>([
    ['', 'x'],
    ['a b', 'x'],
    ['a:b', 'x'],
    ['a\r\nb', 'x'],
    ['\xe9', 'x'],
    [0xa000, 'x'],
    [0xa00c, 'x'],
    [0xa0ff, 'x'],
    ['X', 'a\rb'],
    ['X', 'a\nb'],
    ['X', '\x7f'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', ''],
    ['Content-Length', '-1'],
    ['Content-Length', '5,5'],
    [0xa003, '1e3'],
  ])('refuses the header %j: %j', (name, value) => refused([[name, value]]));

  it('takes one Content-Length', () => {
    const twice: Field[] = [
      [0xa003, '5'],
      ['content-length', '5'],
    ];
    expect(read(twice).headers).toEqual(['Content-Length', '5']);
    refused([...twice, ['content-length', '6']]);
  });

  it('reads as many headers as the limit and the number say', () => {
    const three: Field[] = [
      ['a', ''],
      ['b', ''],
      ['c', ''],
    ];
    expect(read(three, {}, 3).headers.length).toBe(6);
    expect(() => read(three, {}, 2)).toThrow(/at most 2/);
    refused(three, { count: 0xffff });
    refused(three, { count: 2 });
    refused(three, { count: 4 }, 'ERR_AJP_PACKET');
  });

  it.each([
    ['a string that runs past the packet', '04 00 c8 7f ff 61 00'],
    ['a string with NUL in it', '04 00 c8 00 02 61 00 00 00 00'],
    ['nothing behind its type', '04'],
    ['no number of headers', '04 00 c8 ff ff'],
    ['a null name', '04 00 c8 ff ff 00 01 ff ff 00 01 61 00'],
  ])('refuses %s', (_, bytes) => {
    expect(() => readReplyHead(hex(bytes), 256)).toThrow(expect.objectContaining({ code: 'ERR_AJP_PACKET' }));
  });
});

describe('readChunk', () => {
  it('gives the bytes, with the byte behind them or without', () => {
    expect(readChunk(chunk('hello').subarray(4)).toString()).toBe('hello');
    expect(readChunk(chunk('hello', { nul: false }).subarray(4)).toString()).toBe('hello');
    expect(readChunk(hex('03 00 00 00')).length).toBe(0);
    expect(readChunk(hex('03 00 00')).length).toBe(0);
  });

  it.each(['03', '03 00', '03 00 05 61 62 63 00', '03 00 01 61 62 00', '03 ff ff 61'])('refuses %s', (bytes) => {
    expect(() => readChunk(hex(bytes))).toThrow(expect.objectContaining({ code: 'ERR_REPLY', statusHint: 502 }));
  });
});
