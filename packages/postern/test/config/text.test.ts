import { describe, expect, it } from '@jest/globals';
import type { WebServerTitle } from '../../src/config/backend.ts';
import { braces, checkPath, fileOf, quote } from '../../src/config/text.ts';

describe('quote', () => {
  it.each<[WebServerTitle, string, string]>([
    ['nginx', 'a b', '"a b"'],
    ['nginx', 'a"b\\c;{}#', '"a\\"b\\\\c;{}#"'],
    ['Apache', 'a b"c\\', '"a b\\"c\\\\"'],
    ['Apache', '50%$x', '"50%$x"'],
    ['lighttpd', 'a "b" $c %d', '"a \\"b\\" $c %d"'],
  ])('for %s of %s', (server, path, quoted) => {
    checkPath(server, path, 'root');
    expect(quote(server, path)).toBe(quoted);
  });
});

describe('checkPath', () => {
  it.each<[WebServerTitle, string, string]>([
    ['nginx', '/srv/$a', '--root "/srv/$a": nginx has no way to write $ or a control character there'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as Apache writes a variable
    ['Apache', '/srv/${HOME}', 'Apache has no way to write ${ or a control character there: choose another path'],
    ['lighttpd', '/srv/a\\b', 'lighttpd has no way to write \\ or a control character there'],
    ['nginx', '/srv/a\nb', '--root "/srv/a\\x0ab"'],
    ['Apache', '/srv/a\nb', '--root "/srv/a\\x0ab"'],
    ['lighttpd', '/srv/a\0b', '--root "/srv/a\\x00b"'],
  ])('refuses for %s %j', (server, path, message) => {
    expect(() => checkPath(server, path, 'root')).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('refuses what has another meaning in that place', () => {
    const here = { found: /\?/, named: '?' };
    checkPath('Apache', '/srv/a?', 'listen');
    expect(() => checkPath('Apache', '/srv/a?', 'listen', here)).toThrow('--listen "/srv/a?": Apache has no way to');
  });
});

it('blocks are indented, and empty groups leave no gap', () => {
  expect(fileOf([['a'], [], braces('b', ['c', '', ...braces(undefined, ['d'])])])).toBe(
    'a\n\nb {\n    c\n\n    d\n}\n',
  );
});
