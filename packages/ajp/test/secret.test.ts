import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkSecret, sameSecret } from '../src/secret.ts';

describe('sameSecret', () => {
  it('says what === says', () => {
    const text = fc.stringMatching(/^[\x01-\xff]{1,12}$/);
    fc.assert(
      fc.property(text, fc.oneof(text, fc.constant('')), (secret, given) => {
        expect(sameSecret(given, secret)).toBe(given === secret);
        expect(sameSecret(secret, secret)).toBe(true);
        for (const near of [`${secret}${secret}`, `${secret}x`, secret.slice(1), secret.slice(0, -1)])
          expect(sameSecret(near, secret)).toBe(near === secret);
      }),
    );
  });

  it('looks at every character of what is given, whether or not one differs', () => {
    const looked: number[] = [];
    const given = { length: 6, charCodeAt: (at: number) => looked.push(at) } as unknown as string;
    expect(sameSecret(given, 'xy')).toBe(false);
    expect(looked).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('checkSecret', () => {
  it('takes what can be sent', () => {
    for (const secret of [undefined, 'x', '\xff', 'x'.repeat(4096)]) expect(checkSecret(secret)).toBe(secret);
  });

  it.each(['', 'a\0b', '\u0100', 'x'.repeat(4097)])('refuses %j and does not tell it', (secret) => {
    expect(() => checkSecret(secret)).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.not.stringMatching(/a\0b|\u0100|xx/) }),
    );
  });
});
