import { describe, expect, it } from '@jest/globals';
import { limitsWith, type PeerOptions } from '@postern/core';
import { methods, requestHeaders } from '../src/constants.ts';
import { readForwardRequest } from '../src/head.ts';
import { peerOf } from '../src/peer.ts';
import { PayloadReader } from '../src/strings.ts';
import { attribute, type Forward, forward, header, hex, str } from './writer.ts';

const read = (request: Forward, peer: PeerOptions = {}, set = {}) =>
  readForwardRequest(new PayloadReader(forward(request).subarray(4)), limitsWith(set), peerOf(peer));
const variables = (request: Forward, peer: PeerOptions = {}): Record<string, string> => {
  const flat = read(request, peer).head.variables();
  const found: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) {
    expect(Object.hasOwn(found, flat[i])).toBe(false);
    Object.defineProperty(found, flat[i], { value: flat[i + 1], enumerable: true });
  }
  return found;
};
const refused = (request: Forward, code: string, statusHint = 400, peer: PeerOptions = {}, set = {}): void =>
  expect(() => read(request, peer, set)).toThrow(
    expect.objectContaining({ name: 'RemoteProtocolError', scope: 'request', code, statusHint }),
  );
const literal = (name: string, value: string): (string | null)[] => [name.toUpperCase(), value];

describe('the request line', () => {
  it('becomes variables, with what the connection tells', () => {
    const request = { uri: '/a%2Fb', host: 'h.test', attributes: [Buffer.concat([hex('05'), str('q=1')])] };
    expect(variables(request)).toEqual({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/a%2Fb?q=1',
      QUERY_STRING: 'q=1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_HOST: 'h.test',
      SERVER_NAME: 'a',
      SERVER_PORT: '80',
      HTTP_HOST: 'a',
    });
  });

  it.each(methods.map((method, i) => [method, i + 1] as const))('knows %s', (method, code) => {
    expect(read({ method: code }).head.method).toBe(method);
  });

  it.each([0, 28, 254])('refuses the method code %d', (method) => refused({ method }, 'ERR_AJP_PACKET'));

  it('takes a method without a code from its attribute', () => {
    expect(read({ method: 'PATCH' }).head.method).toBe('PATCH');
    refused({ method: 255 }, 'ERR_AJP_PACKET');
    refused({ method: 2, attributes: [Buffer.concat([hex('0d'), str('POST')])] }, 'ERR_AJP_PACKET');
    for (const method of ['GE T', 'get\r\n', ''])
      refused({ method: 255, attributes: [Buffer.concat([hex('0d'), str(method)])] }, 'ERR_ENV_METHOD');
    refused({ method: 255, attributes: [Buffer.concat([hex('0d'), str(null)])] }, 'ERR_AJP_PACKET');
  });

  it('has no question mark where the query is empty', () => {
    for (const query of ['', null])
      expect(read({ attributes: [Buffer.concat([hex('05'), str(query)])] }).head.target).toBe('/');
  });

  it.each(['foo', '**', ''])('asks for * with OPTIONS, not for %j', (uri) => {
    expect(read({ method: 'OPTIONS', uri: '*' }).head.target).toBe('*');
    refused({ method: 'OPTIONS', uri }, 'ERR_ENV_TARGET');
  });

  it.each(['http://evil/', 'foo', '', '*', '/\r\n', '/a b', '/\x7f'])('refuses the target %j', (uri) =>
    refused({ uri }, 'ERR_ENV_TARGET'),
  );

  it('takes the target * of OPTIONS', () => {
    expect(read({ method: 'OPTIONS', uri: '*' }).head.target).toBe('*');
  });

  it('encodes a path that comes decoded', () => {
    expect(read({ uri: '/a b%\xe9?' }, { peer: 'lighttpd' }).head.target).toBe('/a%20b%25%E9%3F');
  });

  it('refuses a query with a line end', () => {
    refused({ attributes: [Buffer.concat([hex('05'), str('a\nb')])] }, 'ERR_ENV_TARGET');
  });

  it('refuses null where something must stand', () => {
    refused({ uri: null }, 'ERR_AJP_PACKET');
    refused({ protocol: null }, 'ERR_AJP_PACKET');
    expect(() => read({ protocol: null })).toThrow(/^protocol is null$/);
    expect(() => read({ uri: null })).toThrow(/^req_uri is null$/);
    refused({ protocol: 'HTTP' }, 'ERR_ENV_PROTOCOL');
  });

  it('does without an address, and takes a missing server name from Host', () => {
    const found = variables({ address: null, server: null, headers: ['host', 'x.test:8080'] });
    expect(found).toMatchObject({ SERVER_NAME: 'x.test', SERVER_PORT: '80', HTTP_HOST: 'x.test:8080' });
    expect(found).not.toHaveProperty('REMOTE_ADDR');
    expect(variables({ server: '', headers: ['host', '[::1]:8080', 'accept', 'x'] })).toMatchObject({
      SERVER_NAME: '[::1]',
    });
    for (const headers of [[], ['host', '']])
      expect(variables({ server: null, headers })).toMatchObject({ SERVER_NAME: 'localhost' });
  });

  it.each([1, 2, 255])('is https where is_ssl is %d', (ssl) => {
    expect(variables({ ssl })).toMatchObject({ HTTPS: 'on', REQUEST_SCHEME: 'https' });
  });
});

describe('the headers', () => {
  it.each([
    [undefined, 'a=1; b=2'],
    ['apache', 'a=1; b=2'],
    ['lighttpd', 'a=1, b=2'],
    ['none', 'a=1, b=2'],
  ])('of two Cookie fields that Apache joined, with peer=%s', (peer, value) => {
    const headers = ['x-list', 'a=1, b=2', 'cookie', 'a=1, b=2'];
    expect(read({ headers }, { peer }).head.headers()).toEqual(['x-list', 'a=1, b=2', 'cookie', value]);
  });

  it('of the connection between the client and the web server are left out', () => {
    const headers = ['connection', 'x', 'Keep-Alive', 'y', 'te', 'z', 'trailer', 't', 'proxy-connection', 'p'];
    expect(read({ headers: [...headers, 'host', 'a'] }).head.headers()).toEqual(['host', 'a']);
  });

  it('have names by code', () => {
    const given = requestHeaders.filter((name) => name !== 'content-length' && name !== 'connection');
    expect(read({ headers: given.flatMap((name, i) => [name, `v${i}`]) }).head.headers()).toEqual(
      given.flatMap((name, i) => [name, `v${i}`]),
    );
  });

  it('have lower-case names, and a null value is an empty one', () => {
    expect(read({ headers: ['X-Foo', 'Bar', 'user-agent', null] }).head.headers()).toEqual([
      'x-foo',
      'Bar',
      'user-agent',
      '',
    ]);
  });

  it.each(['a0 00', 'a0 0f', 'a0 ff'])('refuses the code %s', (code) => {
    const bytes = forward({ headers: ['accept', 'x'] });
    const at = bytes.indexOf(hex('a0 01'));
    hex(code).copy(bytes, at);
    expect(() => readForwardRequest(new PayloadReader(bytes.subarray(4)), limitsWith(), peerOf())).toThrow(
      expect.objectContaining({ code: 'ERR_AJP_PACKET', statusHint: 400 }),
    );
  });

  it.each(['', 'a b', 'a:b', 'a\r\nb', '\xe9'])('refuses the name %j', (name) =>
    refused({ headers: [name, 'x'] }, 'ERR_ENV_NAME'),
  );

  it.each(['x\r\ny', 'x\ny', '\r'])('refuses the value %j', (value) =>
    refused({ headers: ['X-A', value] }, 'ERR_ENV_VALUE'),
  );

  it('are as many as their number says', () => {
    refused({ count: 2 }, 'ERR_AJP_PACKET');
    refused({ count: 0 }, 'ERR_AJP_ATTRIBUTE');
    const many = (count: number) => Array.from({ length: count }, (_, i) => [`a${i}`, '']).flat();
    expect(read({ headers: many(256) }).head.headers().length).toBe(512);
    refused({ headers: many(257) }, 'ERR_ENV_COUNT', 431);
    refused({ count: 0xffff }, 'ERR_ENV_COUNT', 431);
    refused({ headers: many(3) }, 'ERR_ENV_COUNT', 431, {}, { maxEnvCount: 2 });
  });

  it('have names and values of limited length', () => {
    const set = { maxNameBytes: 5, maxValueBytes: 9 };
    expect(read({ headers: ['X-Abc', '123456789'] }, {}, set).head.headers()).toEqual(['x-abc', '123456789']);
    refused({ headers: ['X-Abcd', '1'] }, 'ERR_ENV_ITEM', 431, {}, set);
    refused({ headers: ['X-Abc', '1234567890'] }, 'ERR_ENV_ITEM', 431, {}, set);
    refused({ headers: [null as never, 'x'] }, 'ERR_AJP_PACKET');
  });

  it('may be repeated, but for those that must be single', () => {
    expect(variables({ headers: ['cookie', 'a=1', 'cookie', 'b=2', 'accept', 'x', 'accept', 'y'] })).toMatchObject({
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_ACCEPT: 'x, y',
    });
    refused({ headers: ['host', 'a', 'host', 'b'] }, 'ERR_ENV_REPEATED');
    refused({ headers: ['host', 'a', 'Host', 'a'] }, 'ERR_ENV_REPEATED');
    for (const name of ['authorization', 'Range', 'Expect'])
      refused({ headers: [name, 'a', name, 'b'] }, 'ERR_ENV_REPEATED');
    expect(read({ headers: ['Range', 'a', 'Range', 'a'] }).head.headers()).toEqual(['range', 'a', 'range', 'a']);
  });

  it('keep what must not reach an application out of both views', () => {
    const { head } = read({
      headers: [
        ...['X_Foo', '1', 'X-Foo', '2', 'Proxy', 'http://evil', '__proto__', '3', 'Content_Length', '9'],
        ...['Transfer_Encoding', 'chunked', 'content-type', ''],
      ],
    });
    expect(head.headers()).toEqual(['x-foo', '2']);
    expect(head.variables().slice(-2)).toEqual(['HTTP_X_FOO', '2']);
    expect(head.variables().join()).not.toMatch(/PROXY|PROTO_|CONTENT|TRANSFER/);
  });
});

describe('the length of the body', () => {
  it('is Content-Length, or open where it is chunked, or nothing', () => {
    expect(read({ method: 'POST', headers: ['content-length', '5'] })).toMatchObject({
      head: { contentLength: 5 },
      chunked: false,
    });
    expect(read({ method: 'POST', headers: literal('transfer-encoding', 'Chunked') })).toMatchObject({
      head: { contentLength: -1 },
      chunked: true,
    });
    expect(read({ method: 'POST' })).toMatchObject({ head: { contentLength: -1 }, chunked: false });
  });

  it('is stated once', () => {
    refused({ headers: ['content-length', '5', ...literal('content-length', '5')] }, 'ERR_AJP_BODY');
    refused({ headers: ['content-length', '5', ...literal('transfer-encoding', 'chunked')] }, 'ERR_AJP_BODY');
    refused({ headers: [...literal('transfer-encoding', 'x'), 'content-length', '5'] }, 'ERR_AJP_BODY');
  });

  it.each(['', '-1', '+5', '5 ', ' 5', '0x10', '1e3', '5,5', '5;', '5.0', '1_000', '9007199254740993'])(
    'is not %j',
    (length) => refused({ headers: ['content-length', length] }, 'ERR_ENV_LENGTH'),
  );

  it.each(['identity', 'xchunked', 'chunked, identity', ' chunked', 'gzip, chunked'])(
    'has no transfer coding %j',
    (coding) => refused({ headers: literal('transfer-encoding', coding) }, 'ERR_AJP_BODY', 501),
  );

  it('is not chunked twice', () => {
    const chunked = literal('transfer-encoding', 'chunked');
    refused({ headers: [...chunked, ...chunked] }, 'ERR_AJP_BODY', 501);
    expect(() => read({ headers: [...chunked, ...chunked] })).toThrow(/"chunked, chunked"/);
  });
});

describe('the attributes', () => {
  it('become variables', () => {
    const found = variables({
      attributes: [
        Buffer.concat([hex('01'), str('context')]),
        Buffer.concat([hex('02'), str('path')]),
        Buffer.concat([hex('06'), str('node1')]),
        Buffer.concat([hex('07'), str('-----BEGIN CERTIFICATE-----\nMII\n')]),
        Buffer.concat([hex('08'), str('AES')]),
        Buffer.concat([hex('09'), str('5e55')]),
        hex('0b 00 80'),
        attribute('AJP_REMOTE_PORT', '51000'),
        attribute('AJP_LOCAL_ADDR', '10.0.0.1'),
        attribute('AJP_SSL_PROTOCOL', 'TLSv1.3'),
        attribute('JK_LB_ACTIVATION', 'ACT'),
        attribute('CERT_ISSUER', null),
      ],
    });
    expect(found).toMatchObject({
      AJP_ROUTE: 'node1',
      SSL_CLIENT_CERT: '-----BEGIN CERTIFICATE-----\nMII\n',
      SSL_CIPHER: 'AES',
      SSL_SESSION_ID: '5e55',
      SSL_CIPHER_USEKEYSIZE: '128',
      REMOTE_PORT: '51000',
      SERVER_ADDR: '10.0.0.1',
      SSL_PROTOCOL: 'TLSv1.3',
      JK_LB_ACTIVATION: 'ACT',
    });
    expect(found).not.toHaveProperty('CERT_ISSUER');
  });

  it('take the last of a name that comes twice', () => {
    const attributes = [Buffer.concat([hex('08'), str('A')]), attribute('javax.servlet.request.cipher_suite', 'B')];
    expect(variables({ attributes })).toMatchObject({ SSL_CIPHER: 'B' });
  });

  it('leave REMOTE_USER and AUTH_TYPE out, unless the web server is trusted with them', () => {
    const attributes = [Buffer.concat([hex('03'), str('root')]), Buffer.concat([hex('04'), str('Basic')])];
    expect(Object.keys(variables({ attributes })).join()).not.toMatch(/USER|AUTH/);
    expect(variables({ attributes }, { trustRemoteUser: true })).toMatchObject({
      REMOTE_USER: 'root',
      AUTH_TYPE: 'Basic',
    });
    for (const none of ['', null]) {
      const nobody = [Buffer.concat([hex('03'), str(none)]), Buffer.concat([hex('04'), str(none)])];
      expect(Object.keys(variables({ attributes: nobody }, { trustRemoteUser: true })).join()).not.toMatch(/USER|AUTH/);
    }
  });

  it('become variables of their own name where they are named', () => {
    const peer = { attributes: ['SCRIPT_FILENAME', 'my.attribute'] };
    const attributes = [attribute('SCRIPT_FILENAME', '/x'), attribute('my.attribute', 'y')];
    expect(variables({ attributes }, peer)).toMatchObject({ SCRIPT_FILENAME: '/x', 'my.attribute': 'y' });
    refused({ attributes: [...attributes, attribute('other', 'z')] }, 'ERR_AJP_ATTRIBUTE', 403, peer);
  });

  it.each(['x', '80x', 'x80', '123456', '', null])('leave out the remote port %j', (port) => {
    expect(variables({ attributes: [attribute('AJP_REMOTE_PORT', port)] })).not.toHaveProperty('REMOTE_PORT');
  });

  it('leave out a key size that is null', () => {
    expect(variables({ attributes: [hex('0b ff ff')] })).not.toHaveProperty('SSL_CIPHER_USEKEYSIZE');
  });

  it('leave out the context and the servlet path, wherever a user is trusted', () => {
    const attributes = [Buffer.concat([hex('01'), str('context')]), Buffer.concat([hex('02'), str('path')])];
    expect(Object.values(variables({ attributes }, { trustRemoteUser: true })).join()).not.toMatch(/context|path/);
  });

  it('do not let one in without a name', () => {
    expect(() => read({ attributes: [attribute(null, '/x')] })).toThrow(/the request attribute "" is not let in/);
  });

  it.each([
    'javax.servlet.include.request_uri',
    'javax.servlet.include.path_info',
    'javax.servlet.include.servlet_path',
    'REMOTE_USER',
    'HTTP_X',
    'gateway.input',
    'wsgi.input',
    '__proto__',
    'constructor',
    'SCRIPT_FILENAME',
    '',
  ])('do not let %s in', (name) => refused({ attributes: [attribute(name, '/x')] }, 'ERR_AJP_ATTRIBUTE', 403));

  it.each(['00', '0e', '31'])('refuse what begins with code %s', (bytes) =>
    refused({ attributes: [hex(bytes)] }, 'ERR_AJP_ATTRIBUTE'),
  );

  it('end with ff and nothing behind it', () => {
    refused({ end: hex('') }, 'ERR_AJP_PACKET');
    refused({ end: hex('ff 00') }, 'ERR_AJP_ATTRIBUTE');
  });
});

describe('the secret', () => {
  const peer = { secret: 'open sesame' };
  const secret = (value: string | null): Buffer => Buffer.concat([hex('0c'), str(value)]);

  it('is demanded where one is set, wherever it stands', () => {
    expect(read({ attributes: [secret('open sesame'), hex('0b 00 80')] }, peer).head.method).toBe('GET');
    expect(read({ attributes: [hex('0b 00 80'), secret('open sesame')] }, peer).head.method).toBe('GET');
    refused({}, 'ERR_AJP_SECRET', 403, peer);
  });

  it.each(['', null, 'open', 'open sesam', 'open sesame!', 'open sesameopen sesame', 'Open sesame', 'open sesamf'])(
    'is not %j',
    (given) => refused({ attributes: [secret(given)] }, 'ERR_AJP_SECRET', 403, peer),
  );

  it('that comes twice must be right twice', () => {
    const right = secret('open sesame');
    expect(read({ attributes: [right, right] }, peer).head.method).toBe('GET');
    refused({ attributes: [right, secret('x')] }, 'ERR_AJP_SECRET', 403, peer);
    refused({ attributes: [secret('x'), right] }, 'ERR_AJP_SECRET', 403, peer);
  });

  it('that is wrong is all that is told, not what else is wrong, and not the secret', () => {
    const request = {
      uri: 'nowhere',
      attributes: [attribute('javax.servlet.include.path_info', 'x'), secret('guess')],
    };
    refused(request, 'ERR_AJP_SECRET', 403, peer);
    expect(() => read({ attributes: [secret('guess')] }, peer)).toThrow(/^the secret is not the one that is set here$/);
    expect(() => read({}, peer)).toThrow(/^no secret came, and one is set$/);
  });

  it('means nothing where none is set, and is no variable', () => {
    expect(Object.values(variables({ attributes: [secret('x1y2z3')] })).join()).not.toContain('x1y2z3');
    expect(Object.values(variables({ attributes: [secret('open sesame')] }, peer)).join()).not.toContain('sesame');
  });
});

it('header() writes a code where there is one', () => {
  expect(header('host', 'a')).toEqual(hex('a0 0b 00 01 61 00'));
});
