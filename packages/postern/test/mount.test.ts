import { describe, expect, it } from '@jest/globals';
import { normaliseMount } from '../src/mount.ts';

describe('normaliseMount', () => {
  it.each([
    [undefined, undefined],
    ['/', ''],
    ['/app', '/app'],
    ['/app/', '/app'],
    ['/a/b c', '/a/b c'],
    ['/.well-known', '/.well-known'],
    ['/é', '/\xc3\xa9'],
  ])('makes %j into %j', (mount, normal) => {
    expect(normaliseMount(mount)).toBe(normal);
  });

  it.each([
    '',
    'app',
    'http://a/',
    '/a//b',
    '/app//',
    '/a/../b',
    '/a/.',
    '/a?b',
    '/a#b',
    '/a%20b',
    '/a\nb',
    5 as never,
  ])('refuses %j', (mount) => {
    expect(() => normaliseMount(mount)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});
