import { describe, expect, it } from '@jest/globals';
import { RequestBody } from '@postern/core';
import { readBody, toArrayBuffer, toJson, toText } from '../src/read-body.ts';

function open(): RequestBody {
  return new RequestBody({ wantBody() {} }, -1, false);
}

describe('reading a whole body', () => {
  it('joins what comes in pieces, also inside of a character', async () => {
    const input = open();
    const text = readBody(input, toText);
    const bytes = Buffer.from('\u20ac\u20ac');
    for (const byte of bytes) input.push(Uint8Array.of(byte));
    input.finish();
    expect(await text).toBe('\u20ac\u20ac');
  });

  it('keeps small pieces although the memory they came in is used again', async () => {
    const input = open();
    const text = readBody(input, toText);
    const received = Buffer.from('first');
    input.push(received);
    received.write('XXXXX');
    input.finish();
    expect(await text).toBe('first');
  });

  it('reads large pieces whole', async () => {
    const input = open();
    const read = readBody(input, toArrayBuffer);
    const sent = Buffer.alloc(300_000, 'abcdefg');
    for (let at = 0; at < sent.length; at += 65_536) input.push(sent.subarray(at, at + 65_536));
    input.finish();
    expect(Buffer.from(await read).equals(sent)).toBe(true);
  });

  it('rejects with what the conversion throws, and with why the body broke off', async () => {
    const wrong = open();
    const json = readBody(wrong, toJson);
    wrong.push(Buffer.from('{'));
    wrong.finish();
    await expect(json).rejects.toThrow('JSON');
    const broken = open();
    const text = readBody(broken, toText);
    const error = new Error('gone');
    broken.push(Buffer.from('x'));
    broken.fail(error);
    await expect(text).rejects.toBe(error);
  });

  it('rejects when somebody else reads the body', async () => {
    const input = open();
    input.attach({ data: () => true, end() {}, error() {} });
    await expect(readBody(input, toText)).rejects.toMatchObject({ code: 'ERR_BODY_USED' });
  });

  it('gives an ArrayBuffer of its own, no longer than the body', async () => {
    const input = open();
    const read = readBody(input, toArrayBuffer);
    input.push(Buffer.alloc(100_000, 1).subarray(5, 50_005));
    input.finish();
    expect((await read).byteLength).toBe(50_000);
  });
});
