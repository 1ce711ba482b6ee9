import crypto from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { checkSecret, Secret } from '../src/secret.ts';

describe('Secret', () => {
  it('is what === says', () => {
    const text = fc.stringMatching(/^[\x01-\xff]{1,12}$/);
    fc.assert(
      fc.property(text, fc.oneof(text, fc.constant('')), (secret, given) => {
        const set = new Secret(secret);
        for (const one of [given, secret, `${secret}${secret}`, `${secret}x`, secret.slice(1), secret.slice(0, -1)])
          expect(set.is(one)).toBe(one === secret);
      }),
    );
  });

  it('compares hashes in constant time, of one length whatever is given', () => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    const set = new Secret('open sesame');
    for (const given of ['', 'o', 'open sesamf', 'x'.repeat(8000), 'open sesame']) set.is(given);
    const lengths = compare.mock.calls.map((both) => both.map(({ byteLength }) => byteLength));
    compare.mockRestore();
    expect(lengths).toEqual(Array(5).fill([32, 32]));
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
