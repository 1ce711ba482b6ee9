import { describe, expect, it } from '@jest/globals';
import { hexdump } from '../src/hexdump.ts';

describe('hexdump', () => {
  it('shows sixteen bytes a line with offset and text', () => {
    const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\x00\x7f\xff|', 'latin1');
    expect(hexdump(bytes)).toBe(
      [
        '00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  |GET / HTTP/1.1..|',
        '00000010  48 6f 73 74 3a 20 61 00  7f ff 7c                 |Host: a...||',
      ].join('\n'),
    );
  });

  it('counts from where it is told', () => {
    expect(hexdump(Uint8Array.of(1), 0x1f0)).toMatch(/^000001f0 {2}01 +\|\.\|$/);
  });

  it('has no line for nothing', () => expect(hexdump(new Uint8Array())).toBe(''));
});
