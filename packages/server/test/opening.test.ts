import { describe, expect, it } from '@jest/globals';
import { Opening, type Sniffer } from '../src/opening.ts';

/** Whose connections begin with a text. */
function beginsWith(text: string): Sniffer {
  return {
    name: text,
    sniff(bytes) {
      const came = Buffer.from(bytes).toString().slice(0, text.length);
      return came === text ? 'yes' : text.startsWith(came) ? 'more' : 'no';
    },
  };
}

const [ab, ac, abcd] = ['ab', 'ac', 'abcd'].map(beginsWith);

describe('an opening', () => {
  it('is of who says yes, at once', () => {
    const opening = new Opening([ac, ab]);
    expect(opening.look(Buffer.from('abc'))).toBe(ab);
    expect(opening.held).toBeUndefined();
  });

  it('is kept as long as somebody may say yes', () => {
    const opening = new Opening([ab, ac]);
    expect(opening.look(Buffer.from('a'))).toBe('more');
    expect(opening.held).toEqual(Buffer.from('a'));
    expect(opening.look(Buffer.from('cde'))).toBe(ac);
    // the latest chunk is with who gave it
    expect(opening.held).toEqual(Buffer.from('a'));
  });

  it("is nobody's when all say no", () => {
    expect(new Opening([ab, ac]).look(Buffer.from('b'))).toBeUndefined();
    const opening = new Opening([abcd]);
    expect(opening.look(Buffer.from('ab'))).toBe('more');
    expect(opening.look(Buffer.from('x'))).toBeUndefined();
    expect(opening.held).toEqual(Buffer.from('ab'));
  });

  it('survives that the memory of a chunk is used again', () => {
    const opening = new Opening([abcd]);
    const memory = Buffer.from('ab');
    opening.look(memory);
    memory.fill('x');
    expect(opening.look(Buffer.from('c'))).toBe('more');
    expect(opening.look(Buffer.from('d'))).toBe(abcd);
  });

  it('is of the first of those that say yes to the same bytes', () => {
    expect(new Opening([abcd, ab]).look(Buffer.from('abcd'))).toBe(abcd);
    expect(new Opening([abcd, ab]).look(Buffer.from('ab'))).toBe(ab);
  });
});
