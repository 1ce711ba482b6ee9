import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { scgi } from '../src/index.ts';
import { bytes } from './writer.ts';

describe('scgi.sniff', () => {
  it.each([
    ['', 'more'],
    ['1', 'more'],
    ['131072', 'more'],
    ['9', 'more'],
    ['111111111', 'more'],
    ['111111111:', 'yes'],
    ['70:', 'yes'],
    ['131072:CONTENT', 'yes'],
    [':', 'no'],
    ['0:', 'no'],
    ['0', 'no'],
    ['7a', 'no'],
    ['GET / HTTP/1.1', 'no'],
    ['\x01\x01\x00\x01', 'no'],
    ['\x12\x34', 'no'],
    ['1111111111', 'no'],
  ])('says of %j: %s', (text, answer) => expect(scgi.sniff(bytes(text))).toBe(answer));
});

describe('scgi', () => {
  it('has a name, and carries an upgrade', () => {
    expect([scgi.name, (scgi as { carriesUpgrade?: boolean }).carriesUpgrade]).toEqual(['scgi', true]);
  });

  it('is named to who asks for what it lacks', () => {
    const client = scgi.client(limitsWith());
    expect(() => client.send({ type: 'values', id: 1 })).toThrow(/\bSCGI\b/);
  });
});
