import { describe, expect, it } from '@jest/globals';
import { outputText, textOf } from '@postern/testkit';
import { OneShotOutput } from '../src/one-shot-output.ts';

const HEAD = 'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n';

function whole(body: string | Uint8Array | null): OneShotOutput {
  const output = new OneShotOutput();
  output.whole(HEAD, body);
  return output;
}

describe('OneShotOutput', () => {
  it('gives a whole reply of text as one string', () => {
    expect(whole('hi').take(1)).toBe(`${HEAD}hi`);
    expect(whole(null).take(1)).toBe(HEAD);
    expect(whole('').take(1)).toBe(HEAD);
  });

  it('gives a small whole reply of bytes as one piece, UTF-8 text too', () => {
    expect(whole(Buffer.from([0, 255])).take(1)).toEqual(Buffer.from(`${HEAD}\x00\xff`, 'latin1'));
    expect(whole('é').take(1)).toEqual(Buffer.from(`${HEAD}é`, 'utf8'));
  });

  it.each([
    ['none', null, ''],
    ['text', 'hi', 'hi'],
    ['UTF-8 text', 'é', '\xc3\xa9'],
    ['few bytes', Buffer.from([0xff]), '\xff'],
    ['many bytes', Buffer.alloc(20_000, 'x'), 'x'.repeat(20_000)],
    ['much text', 'é'.repeat(20_000), '\xc3\xa9'.repeat(20_000)],
  ])('writes bytes above 0x7f of a head as they are, and counts all; body: %s', (_, body, text) => {
    const output = new OneShotOutput();
    output.whole('X: \xe9\n\n', body);
    const { length } = output;
    expect(outputText({ takeOutput: (budget) => output.take(budget) })).toBe(`X: \xe9\n\n${text}`);
    expect(length).toBe(6 + text.length);
    expect(output.length).toBe(0);
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
    const output = new OneShotOutput();
    output.head('Status: 204 No Content\r\n\r\n');
    output.data('a');
    output.data(Buffer.from('b'));
    expect(output.take(1000)).toEqual(Buffer.from('Status: 204 No Content\r\n\r\nab'));
  });

  it('gives what goes in front of a reply first, whatever the reply is made of', () => {
    for (const fill of [
      (output: OneShotOutput) => output.whole('b', 'c'),
      (output: OneShotOutput) => output.whole('b', Buffer.from('c')),
      (output: OneShotOutput) => {
        output.head('b');
        output.data('c');
      },
    ]) {
      const output = new OneShotOutput();
      output.interim('a');
      output.interim('a');
      fill(output);
      expect(output.length).toBe(4);
      expect(outputText({ takeOutput: (budget) => output.take(budget) })).toBe('aabc');
    }
  });

  it('forgets what waits when it is cleared', () => {
    const output = whole('hi');
    output.interim('before');
    output.data('more');
    output.clear();
    expect(output.length).toBe(0);
    expect(output.take(1000)).toBeUndefined();
  });

  it('writes bytes above 0x7f of the head of a stream as they are', () => {
    const output = new OneShotOutput();
    output.head('X: \xe9\n\n');
    expect(output.take(1000)).toEqual(Buffer.from('X: \xe9\n\n', 'latin1'));
  });

  it.each([
    ['up to 16 KiB as one piece', 16_384, 1],
    ['above that in two', 16_385, 2],
  ])('gives a head and bytes %s, whole or streamed', (_, length, count) => {
    const body = Buffer.alloc(length - HEAD.length, 'x');
    const streamed = new OneShotOutput();
    streamed.head(HEAD);
    streamed.data(body);
    for (const output of [whole(body), streamed]) {
      expect([output.take(1_000_000)].flat()).toHaveLength(count);
      expect(output.take(1)).toBeUndefined();
    }
  });

  it('gives one piece of a stream as it came, however large', () => {
    for (const length of [1, 100_000]) {
      const output = new OneShotOutput();
      const piece = Buffer.alloc(length);
      output.data(piece);
      expect(output.take(1_000_000)).toBe(piece);
    }
  });
});
