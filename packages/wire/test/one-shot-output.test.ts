import { describe, expect, it } from '@jest/globals';
import { textOf } from '@postern/testkit';
import { ReplyOutput } from '../src/reply-output.ts';

const HEAD = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n';

function whole(body: string | Uint8Array | null): ReplyOutput {
  const output = new ReplyOutput();
  output.whole(200, 'OK', ['Content-Type', 'text/plain'], body);
  return output;
}

describe('ReplyOutput', () => {
  it('gives a whole reply of text as one string', () => {
    expect(whole('hi').take(1)).toBe(`${HEAD}hi`);
    expect(whole(null).take(1)).toBe(HEAD);
  });

  it('gives a small whole reply of bytes as one piece, UTF-8 text too', () => {
    expect(whole(Buffer.from([0, 255])).take(1)).toEqual(Buffer.from(`${HEAD}\x00\xff`, 'latin1'));
    expect(whole('é').take(1)).toEqual(Buffer.from(`${HEAD}é`, 'utf8'));
  });

  it('gives large bytes by reference, as many as the budget allows', () => {
    const body = Buffer.alloc(100_000, 7);
    const output = whole(body);
    expect(output.length).toBe(HEAD.length + body.length);
    const first = output.take(50_000) as Uint8Array[];
    expect(first.reduce((sum, piece) => sum + piece.length, 0)).toBe(50_000);
    expect(first[1].buffer).toBe(body.buffer);
    expect(textOf(output.take(1_000_000) as Uint8Array).length).toBe(HEAD.length + body.length - 50_000);
    expect(output.take(1)).toBeUndefined();
  });

  it('joins the head and the first small pieces of a stream', () => {
    const output = new ReplyOutput();
    output.head(204, 'No Content', []);
    output.data('a');
    output.data(Buffer.from('b'));
    expect(output.take(1000)).toEqual(Buffer.from('Status: 204 No Content\r\n\r\nab'));
  });

  it('forgets what waits when it is cleared', () => {
    const output = whole('hi');
    output.data('more');
    output.clear();
    expect(output.length).toBe(0);
    expect(output.take(1000)).toBeUndefined();
  });
});
