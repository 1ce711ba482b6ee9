import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import fc from 'fast-check';
import { methods, requestHeaders } from '../src/constants.ts';
import { writeForwardRequest } from '../src/forward-request.ts';
import { readForwardRequest } from '../src/head.ts';
import { forwardRequest, packetHeader } from '../src/layouts.ts';
import { peerOf } from '../src/peer.ts';
import { PayloadReader } from '../src/strings.ts';
import { attribute, forward, hex, str } from './writer.ts';

const get = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'];
const bytesOf = (variables: string[], secret?: string): Buffer =>
  Buffer.from(writeForwardRequest(variables, secret, 8192).text, 'latin1');
/** What our server reads of it. */
const read = (variables: string[]) => {
  const { head, chunked } = readForwardRequest(
    new PayloadReader(bytesOf(variables).subarray(4)),
    limitsWith(),
    peerOf({ trustRemoteUser: true }),
  );
  const flat = head.variables();
  const found: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) found[flat[i]] = flat[i + 1];
  return { head, chunked, found };
};
const refused = (variables: string[], code: string) =>
  expect(() => bytesOf(variables)).toThrow(expect.objectContaining({ name: 'LocalProtocolError', code }));

describe('writeForwardRequest', () => {
  it('writes the bytes of the protocol', () => {
    const variables = [
      ...['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/a?q=1', 'SERVER_PROTOCOL', 'HTTP/1.1', 'REMOTE_ADDR', '127.0.0.1'],
      ...['SERVER_NAME', 'x.test', 'SERVER_PORT', '80', 'HTTP_HOST', 'x.test'],
    ];
    const expected = hex('12 34 00 41 02 02')
      .toString('latin1')
      .concat('\x00\x08HTTP/1.1\x00\x00\x02/a\x00\x00\x09127.0.0.1\x00\xff\xff\x00\x06x.test\x00\x00\x50\x00\x00\x01')
      .concat('\xa0\x0b\x00\x06x.test\x00\x05\x00\x03q=1\x00\xff');
    expect(bytesOf(variables).toString('latin1')).toBe(expected);
  });

  it('writes what a hand-made writer writes, secret first and the method without a code in an attribute', () => {
    const variables = [
      ...['REQUEST_METHOD', 'PATCH', 'REQUEST_URI', '/p?x', 'REMOTE_ADDR', '127.0.0.1', 'REMOTE_HOST', 'h'],
      ...['SERVER_NAME', 'a', 'SERVER_PORT', '8443', 'HTTPS', 'on', 'HTTP_HOST', 'a', 'CONTENT_TYPE', 'a/b'],
      ...['CONTENT_LENGTH', '5', 'HTTP_X_Y', 'z', 'REMOTE_USER', 'root', 'AUTH_TYPE', 'Basic', 'AJP_ROUTE', 'n1'],
      ...['SSL_CLIENT_CERT', 'PEM\n', 'SSL_CIPHER', 'AES', 'SSL_SESSION_ID', '5e55', 'SSL_CIPHER_USEKEYSIZE', '256'],
      ...['SERVER_ADDR', '10.0.0.1', 'REMOTE_PORT', '51000', 'SSL_PROTOCOL', 'TLSv1.3'],
    ];
    const attributes = [
      ...['0c=s3cret', '03=root', '04=Basic', '06=n1', '07=PEM\n', '08=AES', '09=5e55', '05=x'].map((each) =>
        Buffer.concat([hex(each.slice(0, 2)), str(each.slice(3))]),
      ),
      hex('0b 01 00'),
      Buffer.concat([hex('0d'), str('PATCH')]),
      attribute('AJP_SSL_PROTOCOL', 'TLSv1.3'),
      attribute('AJP_REMOTE_PORT', '51000'),
      attribute('AJP_LOCAL_ADDR', '10.0.0.1'),
    ];
    const headers = ['host', 'a', 'content-type', 'a/b', 'x-y', 'z', 'content-length', '5'];
    const given = { method: 255, uri: '/p', host: 'h', port: 8443, ssl: 1, headers, attributes };
    expect(bytesOf(variables, 's3cret')).toEqual(forward(given));
  });

  it.each([...methods, 'PATCH', 'FOO', 'get'])('writes the method %s', (method) => {
    const variables = ['REQUEST_METHOD', method, 'REQUEST_URI', '/'];
    expect(read(variables).head.method).toBe(method);
    const { type, method: code } = forwardRequest.parse(bytesOf(variables), packetHeader.size);
    expect({ type, code }).toEqual({ type: 2, code: methods.indexOf(method as never) + 1 || 255 });
  });

  it('writes the code of every header that has one', () => {
    const names = requestHeaders.filter((name) => !name.startsWith('content-'));
    const variables = names.flatMap((name) => [`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, `v ${name}`]);
    const seen = names.filter((name) => name !== 'connection').flatMap((name) => [name, `v ${name}`]);
    expect(read([...get, ...variables]).head.headers()).toEqual(seen);
    const bytes = bytesOf([...get, ...variables]);
    for (const name of names) expect(bytes.includes(`\0${name}`, 0, 'latin1')).toBe(false);
  });

  it('loses nothing that the server reads', () => {
    const text = fc.stringMatching(/^[\x20-\x7e\xa0-\xff]{0,20}$/);
    const extras = fc.dictionary(fc.stringMatching(/^X_[A-Z]{1,8}$/), text, { maxKeys: 8, noNullPrototype: true });
    const target = fc.stringMatching(/^\/[!-"$->@-~\x80-\xff]{0,20}(\?[!-"$-~]{1,10})?$/);
    fc.assert(
      fc.property(target, extras, text, (uri, fields, name) => {
        const variables = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', uri, 'SERVER_NAME', name];
        for (const [key, value] of Object.entries(fields)) variables.push(`HTTP_${key}`, value);
        const { found } = read(variables);
        expect(found).toMatchObject({ REQUEST_METHOD: 'GET', REQUEST_URI: uri });
        if (name !== '') expect(found.SERVER_NAME).toBe(name);
        for (const [key, value] of Object.entries(fields)) expect(found[`HTTP_${key}`]).toBe(value);
      }),
    );
  });

  it.each([
    [['REQUEST_URI', '/a%2Fb?q=%20'], '/a%2Fb?q=%20'],
    [['REQUEST_URI', 'http://h.test/a?b?c'], '/a?b?c'],
    [['REQUEST_URI', 'http://h.test?b'], '/?b'],
    [['REQUEST_URI', '/a?'], '/a'],
    [['REQUEST_URI', '/\xe9'], '/\xe9'],
    [['SCRIPT_NAME', '/app', 'PATH_INFO', '/a b\xe9?', 'QUERY_STRING', 'x=1'], '/app/a%20b%E9%3F?x=1'],
    [['PATH_INFO', ''], '/'],
    [[], '/'],
  ])('makes of %j the target %j', (variables, target) => {
    expect(read(['REQUEST_METHOD', 'GET', ...variables]).head.target).toBe(target);
  });

  it('has the target * for OPTIONS alone', () => {
    expect(read(['REQUEST_METHOD', 'OPTIONS', 'REQUEST_URI', '*']).head.target).toBe('*');
    refused(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '*'], 'ERR_ENV_TARGET');
    refused(['REQUEST_METHOD', 'OPTIONS', 'REQUEST_URI', 'a'], 'ERR_ENV_TARGET');
  });

  it.each(['h.test:443', '/a b', '/a\x7f', '/a#b', '/a?b#c', 'a'])('refuses the target %j', (uri) =>
    refused(['REQUEST_METHOD', 'GET', 'REQUEST_URI', uri], 'ERR_ENV_TARGET'),
  );

  it.each([
    [['HTTPS', 'on'], 'https', '443'],
    [['HTTPS', '1', 'SERVER_PORT', '80'], 'https', '80'],
    [['REQUEST_SCHEME', 'https'], 'https', '443'],
    [['HTTPS', 'off'], 'http', '80'],
    [['HTTPS', 'not on'], 'http', '80'],
    [['HTTPS', 'once'], 'http', '80'],
    [['SERVER_PORT', '65535'], 'http', '65535'],
    [['REQUEST_SCHEME', 'http'], 'http', '80'],
  ])('makes of %j the scheme %s and the port %s', (variables, scheme, port) => {
    expect(read([...get, ...variables]).found).toMatchObject({ REQUEST_SCHEME: scheme, SERVER_PORT: port });
  });

  it('does without an address, a host and a server name', () => {
    const { found } = read(get);
    for (const name of ['REMOTE_ADDR', 'REMOTE_HOST', 'REMOTE_USER', 'AJP_ROUTE'])
      expect(found).not.toHaveProperty(name);
    expect(bytesOf(get).includes(hex('00 01 2f 00 ff ff ff ff ff ff 00 50'))).toBe(true);
  });

  it('does not send other variables', () => {
    const bytes = bytesOf([...get, 'SCRIPT_FILENAME', '/secret', 'DOCUMENT_ROOT', '/secret', 'X', 'secret']);
    expect(bytes.includes('secret')).toBe(false);
  });

  it('says how long the body is', () => {
    const length = (...variables: string[]) => writeForwardRequest([...get, ...variables], undefined, 8192).bodyLength;
    expect(length()).toBe(0);
    expect(length('CONTENT_LENGTH', '')).toBe(0);
    expect(length('CONTENT_LENGTH', '7')).toBe(7);
    expect(length('HTTP_TRANSFER_ENCODING', 'chunked')).toBe(Number.POSITIVE_INFINITY);
    expect(read([...get, 'HTTP_TRANSFER_ENCODING', 'chunked']).chunked).toBe(true);
    const both = read([...get, 'HTTP_TRANSFER_ENCODING', 'chunked', 'CONTENT_LENGTH', '007']);
    expect(both).toMatchObject({ chunked: false, head: { contentLength: 7 } });
  });

  it.each([
    [[], 'ERR_ENV_METHOD'],
    [['REQUEST_METHOD', 'GE T'], 'ERR_ENV_METHOD'],
    [['REQUEST_METHOD', 'X'.repeat(33)], 'ERR_ENV_METHOD'],
    ...['HTTP', 'HTTP/1.1x', 'xHTTP/1.1', 'HTTP/1.', 'HTTP/11'].map(
      (protocol) => [[...get, 'SERVER_PROTOCOL', protocol], 'ERR_ENV_PROTOCOL'] as [string[], string],
    ),
    [[...get, 'SERVER_PORT', '80x'], 'ERR_ENV_VALUE'],
    [[...get, 'SERVER_PORT', 'x80'], 'ERR_ENV_VALUE'],
    [[...get, 'SERVER_PORT', '1e3'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', '128x'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', 'x128'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', '0x80'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', '128.5'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', ' 128'], 'ERR_ENV_VALUE'],
    [[...get, 'SERVER_PORT', '80.5'], 'ERR_ENV_VALUE'],
    [[...get, 'SERVER_PORT', ' 80'], 'ERR_ENV_VALUE'],
    [[...get, 'SERVER_PORT', '65536'], 'ERR_ENV_VALUE'],
    [[...get, 'SERVER_PORT', 'x'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', 'x'], 'ERR_ENV_VALUE'],
    [[...get, 'SSL_CIPHER_USEKEYSIZE', '65535'], 'ERR_ENV_VALUE'],
    [[...get, 'HTTP_A', 'a\r\nb'], 'ERR_ENV_VALUE'],
  ])('refuses %j', (variables, code) => refused(variables, code));

  it('names what it refuses', () => {
    expect(() => bytesOf([])).toThrow(/^REQUEST_METHOD "" is no token$/);
  });

  it('takes a method of 32 bytes, and HTTP/2', () => {
    const bytes = bytesOf(['REQUEST_METHOD', 'X'.repeat(32), 'SERVER_PROTOCOL', 'HTTP/2']);
    expect(bytes.includes(`\0\x06HTTP/2\0`)).toBe(true);
    expect(bytes.includes(`\x0d\0\x20${'X'.repeat(32)}\0`)).toBe(true);
  });

  it.each([8192, 65_536])('of a packet of %d bytes fills the last one, and no more', (packetSize) => {
    const write = (length: number) =>
      writeForwardRequest([...get, 'HTTP_A', 'x'.repeat(length)], undefined, packetSize).text;
    const room = packetSize - write(0).length;
    expect(write(room).length).toBe(packetSize);
    expect(packetHeader.parse(Buffer.from(write(room), 'latin1'))).toEqual({ magic: 0x1234, length: packetSize - 4 });
    for (const more of [1, 70_000])
      expect(() => write(room + more)).toThrow(
        expect.objectContaining({
          name: 'LocalProtocolError',
          code: 'ERR_ENV_BYTES',
          message: expect.stringContaining(`packetSize is ${packetSize}`),
        }),
      );
  });
});
