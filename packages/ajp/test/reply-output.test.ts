import { describe, expect, it } from '@jest/globals';
import { textOf } from '@postern/testkit';
import { END_CLOSE } from '../src/packets.ts';
import { ReplyOutput } from '../src/reply-output.ts';
import { type Message, readMessages } from './writer.ts';

const never = (): string => {
  throw new Error('the end was not due');
};
const bodyOf = (messages: Message[]): string =>
  messages.map((message) => (message.type === 'body' ? message.text : '')).join('');

describe('ReplyOutput', () => {
  it('gives a whole reply of text as one string', () => {
    const output = new ReplyOutput(8184);
    output.whole('hi');
    expect(output.take(1000, () => END_CLOSE)).toBe(`AB\x00\x06\x03\x00\x02hi\0${END_CLOSE}`);
    expect(output.take(1000, never)).toBeUndefined();
  });

  it.each([8183, 8184, 8185, 16_368, 65_536])('cuts a body of %d bytes into packets', (length) => {
    for (const body of ['x'.repeat(length), Buffer.alloc(length, 0x78)]) {
      const output = new ReplyOutput(8184);
      output.whole(body);
      const piece = output.take(131_072, () => END_CLOSE);
      expect(Array.isArray(piece)).toBe(false);
      const messages = readMessages(latin1(piece));
      expect(bodyOf(messages)).toBe('x'.repeat(length));
      expect(messages.length).toBe(Math.ceil(length / 8184) + 1);
    }
  });

  it('sends text as UTF-8', () => {
    const output = new ReplyOutput(8184);
    output.whole('é');
    expect(bodyOf(readMessages(latin1(output.take(1000, () => ''))))).toBe('\xc3\xa9');
  });

  it('takes as much of a stream as the budget allows, from whatever pieces it came in', () => {
    const output = new ReplyOutput(8184);
    for (let i = 0; i < 100; i++) output.data(Buffer.alloc(1000, i));
    expect(output.bodyBytes).toBe(100_000);
    let text = '';
    for (let piece = output.take(30_000, never); piece !== undefined; piece = output.take(30_000, never)) {
      expect(latin1(piece).length).toBeLessThanOrEqual(30_000 + 4 * 8);
      text += latin1(piece);
    }
    const body = bodyOf(readMessages(text));
    expect(body.length).toBe(100_000);
    expect(body.charCodeAt(99_999)).toBe(99);
  });

  it('flushes behind what was written, and ends behind that', () => {
    const output = new ReplyOutput(8184);
    output.data('ab');
    output.flush();
    output.end();
    expect(readMessages(latin1(output.take(1, never)))).toEqual([{ type: 'body', text: 'a' }]);
    expect(readMessages(latin1(output.take(1, () => END_CLOSE)))).toEqual([
      { type: 'body', text: 'b' },
      { type: 'body', text: '' },
      { type: 'end', reuse: false },
    ]);
  });

  it('asks for body bytes, unless that is taken back before it goes out', () => {
    const output = new ReplyOutput(8184);
    output.ask(100);
    expect(readMessages(latin1(output.take(1000, never)))).toEqual([{ type: 'ask', length: 100 }]);
    expect(output.withdraw()).toBe(false);
    output.ask(100);
    expect(output.withdraw()).toBe(true);
    expect(output.take(1000, never)).toBeUndefined();
  });

  it('forgets everything when it is cleared', () => {
    const output = new ReplyOutput(8184);
    output.push('x');
    output.ask(1);
    output.data('y');
    output.flush();
    output.end();
    output.clear();
    expect(output.take(1000, never)).toBeUndefined();
  });
});

function latin1(piece: ReturnType<ReplyOutput['take']>): string {
  return piece === undefined ? '' : textOf(piece);
}
