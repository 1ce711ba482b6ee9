import { describe, expect, it } from '@jest/globals';
import { scgi } from '../src/index.ts';
import { bytes } from './writer.ts';

describe('scgi.sniff', () => {
  it.each([
    ['', 'more'],
    ['1', 'more'],
    ['131072', 'more'],
    ['70:', 'yes'],
    ['131072:CONTENT', 'yes'],
    [':', 'no'],
    ['0:', 'no'],
    ['7a', 'no'],
    ['GET / HTTP/1.1', 'no'],
    ['\x01\x01\x00\x01', 'no'],
    ['\x12\x34', 'no'],
    ['1111111111', 'no'],
  ])('says of %j: %s', (text, answer) => expect(scgi.sniff(bytes(text))).toBe(answer));
});
