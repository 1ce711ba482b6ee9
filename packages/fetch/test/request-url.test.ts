import { describe, expect, it } from '@jest/globals';
import { CgiHead, HttpHead, variableNames } from '@postern/core';
import fc from 'fast-check';
import { requestUrl } from '../src/request-url.ts';

function urlOf(variables: Record<string, string>): string | undefined {
  const all = { REQUEST_METHOD: 'GET', ...variables };
  const head = new CgiHead(variableNames(Object.keys(all)), Object.values(all));
  return requestUrl(head, head.headers());
}

describe('the URL of a request', () => {
  it('is made of the scheme, the Host header and the raw target', () => {
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '/a%2Fb?c=d%20e' })).toBe('http://site.test/a%2Fb?c=d%20e');
    expect(urlOf({ HTTP_HOST: 'site.test:8080', REQUEST_URI: '/', HTTPS: 'on' })).toBe('https://site.test:8080/');
  });

  it('has no port that is the default of its scheme', () => {
    expect(urlOf({ HTTP_HOST: 'site.test:80', REQUEST_URI: '/' })).toBe('http://site.test/');
    expect(urlOf({ HTTP_HOST: 'site.test:443', REQUEST_URI: '/', HTTPS: 'on' })).toBe('https://site.test/');
    expect(urlOf({ HTTP_HOST: 'site.test:443', REQUEST_URI: '/' })).toBe('http://site.test:443/');
  });

  it('takes SERVER_NAME and SERVER_PORT where there is no Host', () => {
    expect(urlOf({ SERVER_NAME: 'name.test', SERVER_PORT: '80', REQUEST_URI: '/' })).toBe('http://name.test/');
    expect(urlOf({ SERVER_NAME: 'name.test', SERVER_PORT: '8080', REQUEST_URI: '/' })).toBe('http://name.test:8080/');
    expect(urlOf({ SERVER_NAME: 'name.test', REQUEST_URI: '/' })).toBe('http://name.test/');
    expect(urlOf({ SERVER_NAME: '::1', SERVER_PORT: '8080', REQUEST_URI: '/' })).toBe('http://[::1]:8080/');
    expect(urlOf({ SERVER_NAME: '[::1]', SERVER_PORT: '80', REQUEST_URI: '/' })).toBe('http://[::1]/');
  });

  it('is the target itself in absolute form', () => {
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: 'http://other.test:8080/a?b' })).toBe(
      'http://other.test:8080/a?b',
    );
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: 'HTTPS://Other.Test' })).toBe('https://other.test/');
  });

  it('has an empty path for the asterisk form', () => {
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '*' })).toBe('http://site.test/');
  });

  it('is normalised: host in lower case, dot segments resolved, unsafe characters escaped', () => {
    expect(urlOf({ HTTP_HOST: 'Site.TEST', REQUEST_URI: '/a/../b/./c' })).toBe('http://site.test/b/c');
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '/a/%2e%2E/b' })).toBe('http://site.test/b');
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '/a b"<>?c d\'' })).toBe(
      'http://site.test/a%20b%22%3C%3E?c%20d%27',
    );
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '//double//slash' })).toBe('http://site.test//double//slash');
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '/\\\\elsewhere.test/' })).toBe(
      'http://site.test///elsewhere.test/',
    );
  });

  it('escapes bytes above 0x7F as the bytes they are', () => {
    const raw = Buffer.from('/caf\u00e9?\u20ac').toString('latin1');
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: raw })).toBe(new URL('http://site.test/caf\u00e9?\u20ac').href);
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: '/\xff' })).toBe('http://site.test/%FF');
  });

  it.each([
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'user@site.test',
    'user:pass@site.test',
    'site.test:99999',
    'site.test:x',
    'site.test\\x',
    '[::1',
    'caf\xc3\xa9.test',
    '1.2.3.999',
    'a^b',
    '%',
    'a,b<',
  ])('cannot be made of the host "%s"', (host) => {
    expect(urlOf({ HTTP_HOST: host, REQUEST_URI: '/' })).toBeUndefined();
  });

  it.each([
    'nothing',
    'site.test:443',
    'ftp://site.test/',
    'file:///etc/passwd',
    'http://',
    'http:///path',
    'http://user@site.test/',
    'http://:secret@site.test/',
    'http://a b/',
    'javascript:alert(1)',
  ])('cannot be made of the target "%s"', (target) => {
    expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: target })).toBeUndefined();
  });

  it('cannot be made where nobody says a host', () => {
    expect(urlOf({ REQUEST_URI: '/' })).toBeUndefined();
  });

  it('is made of what AJP sends as well', () => {
    const line = { method: 'GET', target: '/x', protocol: 'HTTP/1.1', scheme: 'https', contentLength: -1 } as const;
    const named = new HttpHead(line, [], ['SERVER_NAME', 'ajp.test', 'SERVER_PORT', '443']);
    expect(requestUrl(named, named.headers())).toBe('https://ajp.test/x');
    const hosted = new HttpHead(line, ['host', 'site.test'], ['SERVER_NAME', 'ajp.test']);
    expect(requestUrl(hosted, hosted.headers())).toBe('https://site.test/x');
  });

  it('is what the URL parser says, whatever the target', () => {
    const character = fc.oneof(
      fc.constantFrom(...'/.%?#\\ 2eE;@:&=+$,~a-_\'"<>[]{}|^`!*()'),
      fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 30 }), (characters) => {
        const target = `/${characters.join('')}`;
        expect(urlOf({ HTTP_HOST: 'site.test', REQUEST_URI: target })).toBe(new URL(`http://site.test${target}`).href);
      }),
      { numRuns: 3000 },
    );
  });

  it('is what the URL parser says of a host, or none', () => {
    const host = fc.stringMatching(/^[a-zA-Z0-9.:\-_[\]%~!,;=+$&'()*]{1,20}$/);
    fc.assert(
      fc.property(host, fc.constantFrom('http', 'https'), (name, scheme) => {
        let expected: string | undefined;
        try {
          expected = new URL(`${scheme}://${name}/x`).href;
        } catch {}
        const url = urlOf({ HTTP_HOST: name, REQUEST_URI: '/x', HTTPS: scheme === 'https' ? 'on' : '' });
        expect(url).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('stays right when more hosts are asked for than are remembered', () => {
    for (let i = 0; i < 200; i++) {
      expect(urlOf({ HTTP_HOST: `H${i}.test`, REQUEST_URI: '/' })).toBe(`http://h${i}.test/`);
      expect(urlOf({ HTTP_HOST: `h ${i}`, REQUEST_URI: '/' })).toBeUndefined();
    }
    expect(urlOf({ HTTP_HOST: 'H0.test', REQUEST_URI: '/' })).toBe('http://h0.test/');
  });
});
