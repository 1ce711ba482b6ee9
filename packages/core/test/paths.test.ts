import { describe, expect, it } from '@jest/globals';
import { decodePath, encodePath, normalisePath, splitPath, targetPath, targetQuery } from '../src/paths.ts';

describe('targetPath and targetQuery', () => {
  it('cut an origin-form target at its first question mark', () => {
    expect(targetPath('/a%2Fb?q=1?2')).toBe('/a%2Fb');
    expect(targetQuery('/a%2Fb?q=1?2')).toBe('q=1?2');
    expect(targetQuery('/a')).toBe('');
  });

  it('leave the scheme and authority of an absolute-form target out of the path', () => {
    expect(targetPath('http://x.test:80/a?b')).toBe('/a');
    expect(targetPath('*')).toBe('*');
  });
});

describe('decodePath and encodePath', () => {
  it('decode every escape into one byte as latin-1 and leave what is none', () => {
    expect(decodePath('/a%2Fb%C3%A9%zz%')).toBe('/a/b\xc3\xa9%zz%');
  });

  it('encode what may not stand in a path', () => {
    expect(encodePath('/a b?c\xe9')).toBe('/a%20b%3Fc%E9');
  });
});

describe('normalisePath', () => {
  it.each([
    ['/f//x/./y z', '/f/x/y z'],
    ['/a/../../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/', '/'],
  ])('turns %s into %s', (from, to) => expect(normalisePath(from)).toBe(to));
});

describe('splitPath', () => {
  it.each([
    ['nginx: SCRIPT_NAME is the whole path', '/a/b', undefined, '/a/b?q', undefined, '', '/a/b'],
    ['nginx: escapes are decoded and slashes merged', '/b/c', undefined, '//b%2Fc', undefined, '', '/b/c'],
    ['Apache: dots removed', '/f/x/y z', undefined, '/f//x/./y%20z', undefined, '', '/f/x/y z'],
    ['neither is sent, for a path that is normalised', undefined, undefined, '//x/%2e/y', undefined, '', '/x/y'],
    ['neither is sent', undefined, undefined, '/x%20y?q', undefined, '', '/x y'],
    ['a CGI script with a path behind it stays as sent', '/cgi/app', '/x', '/cgi/app/x', undefined, '/cgi/app', '/x'],
    ['a script without a path behind it, rewritten', '/app.cgi', undefined, '/pretty', undefined, '/app.cgi', ''],
    ['SCRIPT_NAME is never a lone slash', '/', '/x', '/x', undefined, '', '/x'],
    ['a mount prefix splits', '/m/x', undefined, '/m/x?q', '/m', '/m', '/x'],
    ['a mount prefix alone', '/m', undefined, '/m', '/m', '/m', ''],
    ['a mount prefix matches whole segments only', '/mx', undefined, '/mx', '/m', '', '/mx'],
    ['an asterisk has no path', undefined, undefined, '*', undefined, '', ''],
  ])('%s', (_, script, info, target, mount, scriptName, pathInfo) => {
    expect(splitPath(script, info, target, mount)).toEqual({ scriptName, pathInfo });
  });
});
