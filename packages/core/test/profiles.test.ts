import { describe, expect, it } from '@jest/globals';
import { CgiHead } from '../src/cgi-head.ts';
import { buildEnviron } from '../src/environ.ts';
import { RemoteProtocolError } from '../src/errors.ts';
import type { Exchange } from '../src/exchange.ts';
import { profileRules, splitCookies } from '../src/profiles.ts';
import { variableNames } from '../src/variable-names.ts';

const software = {
  nginx: 'nginx/1.22.1',
  apache: 'Apache/2.4.71 (Debian)',
  lighttpd: 'lighttpd/1.4.69',
  caddy: 'Caddy/v2.6.2',
  haproxy: 'HAProxy 2.6.12-1+deb12u4',
};
type Name = keyof typeof software;
const names = Object.keys(software) as Name[];

function headOf(sent: Record<string, string>, peer?: string): CgiHead {
  const all = { REQUEST_METHOD: 'GET', ...sent };
  return new CgiHead(variableNames(Object.keys(all)), Object.values(all), false, peer);
}

/** The variables that an application sees of what was sent, without the method. */
function seen(sent: Record<string, string>, peer?: string): Record<string, string> {
  const flat = headOf(sent, peer).variables();
  const found = Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
  delete found.REQUEST_METHOD;
  return found;
}

/** What each rule does, and with it that there is no other. */
const cases: [Name, string, Record<string, string>, Record<string, string>][] = [
  ['nginx', 'REMOTE_USER that is empty', { REMOTE_USER: '' }, {}],
  ['nginx', 'REMOTE_USER', { REMOTE_USER: 'ada', AUTH_TYPE: 'Basic' }, { REMOTE_USER: 'ada', AUTH_TYPE: 'Basic' }],
  ['apache', 'two Cookie fields', { HTTP_COOKIE: 'a=1; b=2, c=3' }, { HTTP_COOKIE: 'a=1; b=2; c=3' }],
  [
    'lighttpd',
    'QUERY_STRING whose escapes are not those of the target',
    { REQUEST_URI: '/q?[x]=%c3+', QUERY_STRING: '%5Bx%5D=%C3+' },
    { REQUEST_URI: '/q?[x]=%c3+', QUERY_STRING: '[x]=%c3+' },
  ],
  [
    'lighttpd',
    'QUERY_STRING that was rewritten',
    { REQUEST_URI: '/q?a=1', QUERY_STRING: 'page=1&a=1' },
    { REQUEST_URI: '/q?a=1', QUERY_STRING: 'page=1&a=1' },
  ],
  ['lighttpd', 'QUERY_STRING without a target', { QUERY_STRING: 'a' }, { QUERY_STRING: 'a' }],
  ['lighttpd', 'SERVER_ADDR', { SERVER_ADDR: '[::1]' }, { SERVER_ADDR: '::1' }],
  ['lighttpd', 'SERVER_ADDR of IPv4', { SERVER_ADDR: '127.0.0.1' }, { SERVER_ADDR: '127.0.0.1' }],
  ['caddy', 'two Cookie fields', { HTTP_COOKIE: 'a=1, b=2' }, { HTTP_COOKIE: 'a=1; b=2' }],
  ['caddy', 'PATH_INFO', { SCRIPT_NAME: '', PATH_INFO: '//a/./b/../c' }, { SCRIPT_NAME: '', PATH_INFO: '/a/c' }],
  [
    'caddy',
    'nobody',
    { AUTH_TYPE: '', REMOTE_IDENT: '', REMOTE_USER: '', REMOTE_HOST: '::1', HTTP_USER_AGENT: '' },
    {},
  ],
  [
    'caddy',
    'somebody',
    { REMOTE_USER: 'ada', AUTH_TYPE: '', HTTP_USER_AGENT: 'x' },
    { REMOTE_USER: 'ada', HTTP_USER_AGENT: 'x' },
  ],
  ['caddy', 'CONTENT_LENGTH', { CONTENT_LENGTH: '-1' }, {}],
  ['haproxy', 'SERVER_NAME', { SERVER_NAME: 'a.test:8080' }, { SERVER_NAME: 'a.test' }],
  ['haproxy', 'SERVER_NAME of IPv6', { SERVER_NAME: '[::1]:8080' }, { SERVER_NAME: '[::1]' }],
  ['haproxy', 'SERVER_NAME without a port', { SERVER_NAME: 'a.test' }, { SERVER_NAME: 'a.test' }],
  ['haproxy', 'SCRIPT_NAME', { SCRIPT_NAME: '//a/../b' }, { SCRIPT_NAME: '/b' }],
  ['haproxy', 'an empty REMOTE_USER', { REMOTE_USER: '' }, { REMOTE_USER: '' }],
];

describe('the profile of a web server', () => {
  it.each(cases)('%s: %s', (name, _, sent, expected) => {
    const said = { SERVER_SOFTWARE: software[name] };
    expect(seen({ ...sent, ...said })).toEqual({ ...expected, ...said });
    expect(seen(sent, name)).toEqual(expected);
  });

  it.each(cases.filter(([, , , expected]) => Object.keys(expected).length > 0))(
    '%s: %s stays as it came with peer=none, and from software that is unknown',
    (name, _, sent) => {
      expect(seen(sent, 'none')).toEqual(sent);
      const said = { SERVER_SOFTWARE: software[name] };
      expect(seen({ ...sent, ...said }, 'none')).toEqual({ ...sent, ...said });
      expect(seen({ ...sent, SERVER_SOFTWARE: `X${said.SERVER_SOFTWARE}` })).toMatchObject(sent);
      expect(seen(sent)).toEqual(sent);
    },
  );

  it.each(names)('%s has a case for each of its rules', (name) => {
    for (const { names: ruled } of profileRules[name]) {
      const sent = cases.filter(([of]) => of === name).flatMap(([, , variables]) => Object.keys(variables));
      expect(sent.some((one) => ruled.includes(one))).toBe(true);
    }
  });

  it('is that of the peer in the address, whatever SERVER_SOFTWARE says', () => {
    const sent = { SERVER_NAME: 'a:81', HTTP_COOKIE: 'a=1, b=2', SERVER_SOFTWARE: software.haproxy };
    expect(seen(sent, 'apache')).toEqual({ ...sent, HTTP_COOKIE: 'a=1; b=2' });
    expect(seen(sent, 'somebody')).toEqual(sent);
  });

  it('changes both views, and the target that is put together', () => {
    const head = headOf({
      SERVER_SOFTWARE: software.caddy,
      PATH_INFO: '//x',
      HTTP_COOKIE: 'a=1, b=2',
      HTTP_USER_AGENT: '',
    });
    expect(head.headers()).toEqual(['cookie', 'a=1; b=2']);
    expect(head.target).toBe('/x');
  });

  it('leaves a length that is none to be refused where the web server is not Caddy', () => {
    for (const peer of ['none', 'nginx', 'haproxy']) {
      expect(() => headOf({ SERVER_SOFTWARE: software.caddy, CONTENT_LENGTH: '-1' }, peer)).toThrow(
        RemoteProtocolError,
      );
    }
    expect(headOf({ CONTENT_LENGTH: '-1' }, 'caddy').contentLength).toBe(-1);
  });

  it('is right for each request of many with the same names, and for two web servers in turn', () => {
    const list = variableNames(['REQUEST_METHOD', 'REMOTE_USER', 'AUTH_TYPE', 'HTTP_COOKIE', 'SERVER_SOFTWARE']);
    for (let i = 0; i < 200; i++) {
      const [user, type] = [i % 2 === 0 ? '' : 'ada', i % 4 < 2 ? '' : 'Basic'];
      const by = i % 8 < 4 ? software.caddy : software.apache;
      const head = new CgiHead(list, ['GET', user, type, `a=${i}, b=2`, by]);
      const environ = buildEnviron({ head, protocol: 'fastcgi', role: 'responder' } as unknown as Exchange);
      const kept = by === software.apache;
      expect(environ.HTTP_COOKIE).toBe(`a=${i}; b=2`);
      expect(environ.REMOTE_USER).toBe(user === '' && !kept ? undefined : user);
      expect('AUTH_TYPE' in environ).toBe(kept || type !== '');
    }
  });

  it('keeps the values of a request that needs no change', () => {
    const values = ['GET', software.apache, 'a=1'];
    expect(new CgiHead(variableNames(['REQUEST_METHOD', 'SERVER_SOFTWARE', 'HTTP_COOKIE']), values).values).toBe(
      values,
    );
  });
});

describe('splitCookies', () => {
  it.each([
    ['a=1', 'a=1'],
    ['a=1, b=2', 'a=1; b=2'],
    ['a=1; b=2, c=3; d=4, e=5', 'a=1; b=2; c=3; d=4; e=5'],
    ['a=x,y', 'a=x,y'],
    ['a=x, y', 'a=x, y'],
    ['a=x,b=y', 'a=x,b=y'],
    ['a={"k": "v", "l": 1}', 'a={"k": "v", "l": 1}'],
    ['a=1, $b=2', 'a=1; $b=2'],
    ['', ''],
  ])('%j is %j', (joined, split) => expect(splitCookies(joined)).toBe(split));

  it('takes no longer than the value is long', () => {
    const value = `a=${', x'.repeat(20_000)}`;
    expect(splitCookies(value)).toBe(value);
  });
});
