import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '../src/cgi-head.ts';
import { variableNames } from '../src/variable-names.ts';

function headOf(...variables: string[]): CgiHead {
  return CgiHead.of(variables);
}

describe('a variable that comes first', () => {
  const get = ['REQUEST_METHOD', 'GET'];

  it.each<[string, string, Partial<CgiHead>]>([
    ['CONTENT_LENGTH', '3', { contentLength: 3 }],
    ['SERVER_PROTOCOL', 'HTTP/1.0', { protocol: 'HTTP/1.0' }],
    ['HTTPS', 'on', { scheme: 'https' }],
    ['REQUEST_SCHEME', 'https', { scheme: 'https' }],
    ['REQUEST_URI', '/first', { target: '/first' }],
    ['HTTP_TRANSFER_ENCODING', 'chunked', { openLength: true }],
    ['SERVER_SOFTWARE', 'lighttpd/1.4.69', { software: 'lighttpd/1.4.69' }],
    ['CONTENT_TYPE', 'text/plain', { hasType: true }],
  ])('is found like any other: %s', (name, value, found) => {
    const head = headOf(name, value, ...get);
    expect(head).toMatchObject(found);
    expect({ ...head, software: head.software, hasType: head.hasType }).toMatchObject(found);
  });

  it('chooses the profile of the web server', () => {
    expect(headOf('SERVER_SOFTWARE', 'Caddy/v2.6.2', ...get, 'CONTENT_LENGTH', '-1').contentLength).toBe(-1);
  });
});

describe('what is said of a head', () => {
  it.each([
    [[], false],
    [['CONTENT_TYPE', ''], false],
    [['CONTENT_TYPE', 'text/plain'], true],
  ])('with %j: it has a type: %s', (more, has) => {
    expect(headOf('REQUEST_METHOD', 'POST', ...more).hasType).toBe(has);
  });

  it('is not what web server sent it, where it does not say', () => {
    expect(headOf('REQUEST_METHOD', 'GET').software).toBe('');
  });
});

describe('the profile of the web server', () => {
  const names = variableNames(['REQUEST_METHOD', 'CONTENT_LENGTH', 'SERVER_SOFTWARE']);
  const headFrom = (software: string, peer?: string): CgiHead =>
    new CgiHead(names, ['POST', '-1', software], false, peer);

  it('is that which the address names, whatever SERVER_SOFTWARE says', () => {
    expect(headFrom('nginx/1.22.1', 'caddy').contentLength).toBe(-1);
    expect(() => headFrom('Caddy/v2.6.2', 'nginx')).toThrow(expect.objectContaining({ code: 'ERR_ENV_LENGTH' }));
  });

  it('is none where the address says so, or names one that has none', () => {
    for (const peer of ['none', 'another'])
      expect(() => headFrom('Caddy/v2.6.2', peer)).toThrow(expect.objectContaining({ code: 'ERR_ENV_LENGTH' }));
  });
});

describe('the views of a head', () => {
  it('hold what was sent, and nothing behind it', () => {
    const head = headOf('REQUEST_METHOD', 'GET', 'HTTP_A', 'b');
    expect(head.variables()).toStrictEqual(['REQUEST_METHOD', 'GET', 'HTTP_A', 'b']);
    expect(head.variables()).toHaveLength(4);
    expect(head.headers()).toStrictEqual(['a', 'b']);
  });
});
