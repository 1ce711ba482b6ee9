import { describe, expect, it, jest } from '@jest/globals';
import { CgiReplyReader, limitsWith } from '@postern/core';
import { bodyVectors } from './replies/bodies.ts';
import { fieldVectors } from './replies/fields.ts';
import { headVectors } from './replies/heads.ts';
import type { BackEnd } from './replies/reply.ts';
import { ask, runReplies } from './replies/run-replies.ts';

describe('a reply in CGI form', () => {
  runReplies([...headVectors, ...fieldVectors, ...bodyVectors]);
});

describe('a head that comes byte by byte', () => {
  it.each<BackEnd>(['fastcgi', 'scgi', 'uwsgi'])('vC26: is the same as in one piece (%s)', async (backEnd) => {
    const text = `Status: 404 Gone\r\n${'Set-Cookie: a=b\r\n'.repeat(20)}\r\nbody`;
    const wrap = (piece: string): Buffer =>
      backEnd === 'fastcgi'
        ? Buffer.from(`\x01\x06\0\x01\0${String.fromCharCode(piece.length)}\0\0${piece}`, 'latin1')
        : Buffer.from(piece);
    const end = backEnd === 'fastcgi' ? [Buffer.from('\x01\x03\0\x01\0\x08\0\0\0\0\0\0\0\0\0\0', 'latin1')] : [];
    const whole = await ask(backEnd, [...(text.match(/.{1,255}/gs) as string[]).map(wrap), ...end], true);
    expect(whole).toMatchObject({ status: 404, reason: 'Gone', body: 'body', ended: 'whole' });
    expect(whole.headers).toHaveLength(40);
    expect(await ask(backEnd, [...Array.from(text, wrap), ...end], true)).toEqual(whole);
  });

  it('vC26: each byte of 1 MiB is decoded once', () => {
    const { text, decoded } = trickle(1_048_000);
    expect(text).toBe(1_048_000 - 'A: \r\n\r\n'.length);
    expect(decoded).toBe(1_048_000);
  });
});

/** Gives a reader a head byte by byte, and counts the bytes that are made into text. */
function trickle(length: number): { text: number; decoded: number } {
  const reader = new CgiReplyReader(limitsWith({ maxReplyHeaderBytes: 1_048_576 }));
  const bytes = Buffer.from(`A: ${'x'.repeat(length - 7)}\r\n\r\n`);
  let decoded = 0;
  const decode = Buffer.prototype.toString;
  const spy = jest.spyOn(Buffer.prototype, 'toString').mockImplementation(function (this: Buffer, ...args) {
    const text = decode.apply(this, args);
    decoded += text.length;
    return text;
  });
  try {
    let head: ReturnType<CgiReplyReader['push']>;
    for (let at = 0; at < bytes.length; at++) head = reader.push(bytes.subarray(at, at + 1));
    return { text: head?.headers[1].length ?? 0, decoded };
  } finally {
    spy.mockRestore();
  }
}
