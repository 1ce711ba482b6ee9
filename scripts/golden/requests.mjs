/** How a path may be asked for: where the app is mounted by its own option, and by what the web server calls it. */
export const MOUNT = '/mnt';
export const PREFIX = '/own';

const token = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

/**
 * The twelve requests, some of them in several forms. `headers` are flat [name, value, …] behind Host; `prefix` is for the
 * web servers that can name a part of the path SCRIPT_NAME; a `body` is sent in chunks.
 */
export const rows = [
  { name: 'plain', asks: [{ target: '/' }] },
  {
    name: 'mounted',
    asks: [{ target: `${MOUNT}/x%20y/z?q` }, { target: `${PREFIX}/x%20y/z?q`, prefix: true }, { target: `${MOUNT}x` }],
  },
  { name: '%2F', asks: [{ target: '/a%2Fb/%c3%a9' }] },
  { name: '//', asks: [{ target: '//a//b/' }] },
  { name: 'dots', asks: [{ target: '/a/./b/../c' }, { target: '/a/%2e/b/%2e%2E/c' }] },
  {
    name: 'repeated',
    asks: [{ target: '/', headers: ['X-Two', 'one', 'Accept', 'a/a;q=1', 'X-Two', 'two, three', 'Accept', 'b/b'] }],
  },
  {
    name: 'cookies',
    asks: [{ target: '/', headers: ['Cookie', 'a=1; b="x,y"', 'Cookie', 'c=3'] }],
  },
  {
    name: 'query',
    asks: ['?', '??', '?a=%20&b=+&&c', `?[x]={%c3|"<'^\`\\>}`].map((query) => ({ target: `/q${query}` })),
  },
  { name: 'auth', asks: [{ target: '/', headers: ['Authorization', token] }] },
  {
    name: 'chunked',
    asks: [{ target: '/', method: 'POST', headers: ['Content-Type', 'text/plain'], body: ['hello ', 'world'] }],
  },
  { name: 'IPv6', asks: [{ target: '/', address: '::1' }] },
  { name: 'TLS', asks: [{ target: '/', tls: true }] },
];
