import { describe, expect, it } from '@jest/globals';
import { Opening } from '../src/opening.ts';

describe('an opening', () => {
  it('that is HTTP is known as soon as its line is there', () => {
    const opening = new Opening();
    opening.receive(Buffer.from('GE'));
    expect(opening.refused()).toBe('more');
    expect(opening.undecided).toBe(true);
    expect(opening.more(Buffer.from('T / HTTP/1.1\r'))).toBe('more');
    expect(opening.more(Buffer.from('\n'))).toBe('yes');
    expect(opening.undecided).toBe(false);
  });

  it('keeps the first bytes alone', () => {
    const opening = new Opening();
    opening.receive(Buffer.from('\0'));
    opening.receive(Buffer.from('GET / HTTP/1.1\r\n'));
    expect(opening.refused()).toBe('no');
  });

  it('is none any more once a request has begun', () => {
    const opening = new Opening();
    opening.receive(Buffer.from('GET / HTTP/1.1\r\n'));
    opening.made();
    opening.receive(Buffer.from('GET / HTTP/1.1\r\n'));
    expect(opening.refused()).toBe('no');
  });
});
