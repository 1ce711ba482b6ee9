import { describe, expect, it } from '@jest/globals';
import { RemoteProtocolError } from '../src/errors.ts';
import { ReplyFields } from '../src/reply-fields.ts';

function refusal(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} ${error.statusHint}`;
  }
  return undefined;
}

const bad = 'ERR_REPLY 502';

describe('the header fields of a reply', () => {
  it('are kept in their order, repeated ones apart, without outer blanks', () => {
    const fields = new ReplyFields({ maxReplyHeaders: 5 });
    for (const [name, value] of [
      ['X-A', ' a b\t'],
      ['Set-Cookie', 'a'],
      ['set-cookie', 'b'],
      ['X-Empty', ''],
    ])
      fields.add(name, value);
    expect(fields.headers).toEqual(['X-A', 'a b', 'Set-Cookie', 'a', 'set-cookie', 'b', 'X-Empty', '']);
  });

  it('are read in one pass, whatever blanks stand inside a value', () => {
    const value = `a${' '.repeat(200_000)}b`;
    const began = performance.now();
    expect(new ReplyFields({ maxReplyHeaders: 1 }).add('X-A', ` ${value}\t`)).toBe(value);
    // far below what a pass for each blank takes, far above what one takes
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it.each(['0', '12', '1'.repeat(15)])('may have a Content-Length of %s', (length) => {
    expect(new ReplyFields({ maxReplyHeaders: 5 }).add('Content-Length', length)).toBe(length);
  });

  it('may be made of blanks', () => {
    expect(new ReplyFields({ maxReplyHeaders: 5 }).add('A', ' \t ')).toBe('');
  });

  it('have one Content-Length, and may say it again', () => {
    const fields = new ReplyFields({ maxReplyHeaders: 5 });
    fields.add('Content-Length', '3');
    fields.add('content-length', '3');
    expect(fields.headers).toEqual(['Content-Length', '3']);
    expect(refusal(() => fields.add('Content-Length', '4'))).toBe(bad);
  });

  it.each([
    ['', 'x'],
    ['A B', 'x'],
    ['A\r\nB', 'x'],
    ['A', 'x\r\ny'],
    ['A', 'x\0'],
    ['Content-Length', '-1'],
    ['Content-Length', '1e3'],
    ['Content-Length', ''],
    ['Transfer-Encoding', 'chunked'],
  ])('may not be %j with %j', (name, value) => {
    expect(refusal(() => new ReplyFields({ maxReplyHeaders: 5 }).add(name, value))).toBe(bad);
  });

  it('are told of in a line of bounded length', () => {
    const fields = new ReplyFields({ maxReplyHeaders: 5 });
    expect(() => fields.add('N'.repeat(60_000), 'a\0')).toThrow(
      `the value of header ${'N'.repeat(60)} holds a control character`,
    );
  });

  it('are as many as the limit, and not one more', () => {
    const fields = new ReplyFields({ maxReplyHeaders: 2 });
    fields.add('A', '1');
    expect(refusal(() => fields.add('B', '2'))).toBeUndefined();
    expect(refusal(() => fields.add('C', '3'))).toBe(bad);
  });
});
