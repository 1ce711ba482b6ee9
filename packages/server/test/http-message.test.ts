import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { checkMessage, targetAuthority } from '../src/http-message.ts';

function check(line: string, rawHeaders: string[] = [], httpVersion = '1.1', limits = limitsWith()): () => void {
  const req = new IncomingMessage(new Socket());
  [req.method, req.url] = line.split(' ');
  req.httpVersion = httpVersion;
  // as the parser of node:http does
  (req as unknown as { _addHeaderLines(raw: string[], count: number): void })._addHeaderLines(
    rawHeaders,
    rawHeaders.length,
  );
  return () => checkMessage(req, limits);
}

const refused = expect.objectContaining({ code: 'ERR_HTTP_REQUEST', scope: 'request', statusHint: 400 });

describe('the fields of a message', () => {
  it('may be maxEnvCount and no more', () => {
    const raw = ['A', '1', 'B', '2'];
    expect(check('GET /', raw, '1.1', limitsWith({ maxEnvCount: 2 }))).not.toThrow();
    expect(check('GET /', raw, '1.1', limitsWith({ maxEnvCount: 1 }))).toThrow(
      expect.objectContaining({ code: 'ERR_ENV_COUNT', scope: 'request', statusHint: 431, limit: 'maxEnvCount' }),
    );
  });
});

describe('the target', () => {
  it.each(['GET /', 'GET //x', 'GET http://b.test', 'POST HTTPS://b.test:81/x?y', 'GET http://[::1]:1?y', 'OPTIONS *'])(
    'may be that of %s',
    (line) => expect(check(line)).not.toThrow(),
  );

  it.each([
    ...['GET *', 'OPTIONS *x', 'GET http:///x', 'GET http://?x', 'GET http://u:p@b.test/', 'GET ftp://b.test/'],
    ...['GET http://b.test:x/', 'GET http://b.test:123456/', 'GET b.test:80', 'GET x'],
  ])('may not be that of %s', (line) => expect(check(line)).toThrow(refused));

  it('has an authority in its absolute form alone', () => {
    const targets = ['/x', '//x/y', '*', 'http://b.test', 'http://b.test:1/x', 'hTTps://b.test?x', 'ftp://b.test/'];
    expect(targets.map(targetAuthority)).toEqual([
      ...[undefined, undefined, undefined, 'b.test', 'b.test:1', 'b.test', undefined],
    ]);
  });
});

describe('a transfer coding', () => {
  it.each(['chunked', 'Chunked'])('may be %s', (coding) => {
    expect(check('POST /', ['Transfer-Encoding', coding])).not.toThrow();
  });

  it.each(['', 'identity', 'xchunked', 'gzip, chunked', 'chunked, identity', 'chunked, chunked', 'chunked;a'])(
    'may not be %j',
    (coding) => expect(check('POST /', ['transfer-encoding', coding])).toThrow(refused),
  );

  it('may not come twice, or in HTTP/1.0', () => {
    const fields = ['Transfer-Encoding', 'chunked'];
    expect(check('POST /', [...fields, ...fields])).toThrow(refused);
    expect(check('POST /', fields, '1.0')).toThrow(refused);
  });
});
