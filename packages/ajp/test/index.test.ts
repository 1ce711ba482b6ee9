import { describe, expect, it } from '@jest/globals';
import { ajp } from '../src/index.ts';
import { hex } from './writer.ts';

it('has a name', () => expect(ajp.name).toBe('ajp'));

describe('ajp.sniff', () => {
  it.each([
    ['', 'more'],
    ['12', 'more'],
    ['12 34', 'yes'],
    ['12 34 00 01 0a', 'yes'],
    ['12 35', 'no'],
    ['41 42', 'no'],
    ['41 34', 'no'],
    ['41', 'no'],
    ['47 45 54 20', 'no'],
    ['01 01 00 01', 'no'],
  ])('says of %s: %s', (bytes, answer) => expect(ajp.sniff(hex(bytes))).toBe(answer));
});
