import { describe, expect, it } from '@jest/globals';
import { foreignProtocols, httpBeginning, httpRequestLine } from '../src/foreign-protocols.ts';
import { Opening, type Sniffer } from '../src/opening.ts';

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Whose a text is, in one piece and in single bytes. */
function whose(text: string, sniffers: readonly Sniffer[] = foreignProtocols): string | undefined {
  const opening = new Opening(sniffers);
  let found: Sniffer | 'more' | undefined = 'more';
  for (let at = 0; at < text.length && found === 'more'; at++) found = opening.look(bytes(text[at]));
  expect(new Opening(sniffers).look(bytes(text))).toBe(found);
  return found === 'more' ? 'more' : found?.name;
}

describe('httpRequestLine', () => {
  it.each([
    'GET / HTTP/1.1\r\n',
    'POST /a?b=%20 HTTP/1.0\n',
    'PROPFIND http://x/ HTTP/1.1\r\nHost: x\r\n',
    'CONNECT x:443 HTTP/1.1\r\n',
  ])('says yes to %j, and more to each beginning of its first line', (text) => {
    expect(httpRequestLine.sniff(bytes(text))).toBe('yes');
    const line = text.slice(0, text.indexOf('\n'));
    for (let end = 1; end <= line.length; end++)
      expect([end, httpRequestLine.sniff(bytes(line.slice(0, end)))]).toEqual([end, 'more']);
  });

  it.each([
    '\x16\x03\x01',
    'SSH-2.0-x\r\n',
    'PRI * HTTP/2.0\r\n',
    'get / HTTP/1.1\r\n',
    'GET  HTTP/1.1\r\n',
    'GET / HTTP/1.1 \r\n',
    'GET / HTTX',
    'HELO example.test\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
    'A'.repeat(13),
    '24:CONTENT_LENGTH',
    '\0',
  ])('says no to %j', (text) => expect(httpRequestLine.sniff(bytes(text))).toBe('no'));

  it('does not wait for an endless line', () => {
    expect(httpRequestLine.sniff(bytes(`GET /${'a'.repeat(8000)}`))).toBe('more');
    expect(httpRequestLine.sniff(bytes(`GET /${'a'.repeat(9000)}`))).toBe('no');
  });
});

describe('foreignProtocols', () => {
  it.each([
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'TLS'],
    ['\x16\x03\x03\x00\xf0\x01', 'TLS'],
    ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'PROXY protocol'],
    ['PROXY UNKNOWN\r\n', 'PROXY protocol'],
    ['\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'PROXY protocol'],
    ['SSH-2.0-OpenSSH_9.2p1\r\n', 'SSH'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/2'],
    ['\x16\x03', 'more'],
    ['PR', 'more'],
    ['\r\n\r\n', 'more'],
    // an alert, a later message of a handshake, a version that is none
    ['\x15\x03\x01\x00\x02\x02', undefined],
    ['\x16\x03\x01\x00\x02\x02', undefined],
    ['\x16\x03\x05', undefined],
    ['PROXYPASS', undefined],
    ['PRINT', undefined],
    ['GET / HTTP/1.1\r\n', undefined],
    ['\0\0\0\0', undefined],
  ])('of %j say %s', (text, name) => expect(whose(text)).toBe(name));

  it('wait for no more than twelve bytes and the line of HTTP/2', () => {
    for (const sniffer of foreignProtocols)
      for (let byte = 0; byte < 256; byte++) expect(sniffer.sniff(Buffer.alloc(16, byte))).toBe('no');
  });
});

describe('httpBeginning', () => {
  it.each([
    ['GET / HTTP/1.1\r\n', 1],
    ['DELETE /', 1],
    ['POST / HTTP/1.1\r\n', 2],
    ['PUT /', 2],
    ['PATCH /', 2],
    ['PROPFIND /', 4],
    ['PROXIES /', 5],
    ['PRINT', 4],
    ['SEARCH /', 2],
    ['SSL', 3],
    ['\r\nGET /', 3],
    ['\n\nPROPFIND /', 6],
  ])('is sure of %j at byte %i', (text, sure) => {
    const answers = Array.from(text, (_, i) => httpBeginning.sniff(bytes(text.slice(0, i + 1))));
    expect(answers).toEqual(answers.map((_, i) => (i + 1 < sure ? 'more' : 'yes')));
  });

  it.each(['get /', '\x01', '\r\n\0', '7', '{', 'SSH-', 'PROXY ', 'PRI * HTTP/2.0\r\n', `${'\r\n'.repeat(9)}GET`])(
    'says no to %j',
    (text) => expect(httpBeginning.sniff(bytes(text))).toBe('no'),
  );

  it.each(['', 'P', 'PR', 'PROXY', 'PRI * HTTP/2.0\r', 'S', 'SSH', '\r\n', '\r\n\r\nPRO'])('waits behind %j', (text) =>
    expect(httpBeginning.sniff(bytes(text))).toBe('more'),
  );
});
