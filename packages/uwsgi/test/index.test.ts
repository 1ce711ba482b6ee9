import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { hex } from '@postern/testkit';
import { uwsgi, uwsgiWith } from '../src/index.ts';
import { BASELINE } from './writer.ts';

describe('uwsgi.sniff', () => {
  it.each([
    ['', 'more'],
    ['00', 'more'],
    ['00 60', 'more'],
    ['00 60 00', 'more'],
    ['00 60 00 00', 'yes'],
    ['00 00 01 00', 'yes'],
    ['00 60 00 00 0e', 'yes'],
    ['00 00 00 00', 'no'],
    ['00 60 00 07', 'no'],
    ['1e 60 00 00', 'no'],
    ['64', 'no'],
    ['01 01 00 01', 'no'],
    ['12 34', 'no'],
    ['37 30 3a', 'no'],
    ['47 45 54 20', 'no'],
    ['16 03 01 02', 'no'],
  ])('says of %s: %s', (bytes, answer) => expect(uwsgi.sniff(hex(bytes))).toBe(answer));

  it('is sure at the fourth byte, whatever is behind it', () => {
    const answers = Array.from(BASELINE, (_, i) => uwsgi.sniff(BASELINE.subarray(0, i + 1)));
    expect(answers.map((answer) => answer === 'yes').indexOf(true)).toBe(3);
    expect(new Set(answers.slice(3))).toEqual(new Set(['yes']));
  });
});

describe('uwsgi', () => {
  it('carries an upgrade', () => {
    expect((uwsgi as { carriesUpgrade?: boolean }).carriesUpgrade).toBe(true);
  });

  it('is named to who asks for what it lacks', () => {
    expect(() => uwsgi.client(limitsWith()).send({ type: 'values', id: 1 })).toThrow(/\buwsgi\b/);
  });
});

describe('uwsgiWith', () => {
  it.each([
    ['1e 60 00 00', 'yes'],
    ['1e', 'more'],
    ['1e 00 00 00', 'no'],
    ['64 00 00 00', 'yes'],
    ['64 00 00', 'more'],
    ['64 00 00 01', 'no'],
    ['00 60 00 00', 'yes'],
    ['65 00 00 00', 'no'],
    ['65 60 00 00', 'no'],
  ])('says of %s, which more is served of: %s', (bytes, answer) =>
    expect(uwsgiWith({ ping: true, modifier30: true }).sniff(hex(bytes))).toBe(answer),
  );

  it('is the same protocol under the same name', () => {
    expect([uwsgi.name, uwsgiWith({ ping: true, modifier30: true }).name]).toEqual(['uwsgi', 'uwsgi']);
  });
});
