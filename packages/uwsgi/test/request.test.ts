import { describe, expect, it } from '@jest/globals';
import { limitsWith } from '@postern/core';
import { outputText } from '@postern/testkit';
import { uwsgi } from '../src/index.ts';
import { uwsgiRequests } from '../src/request.ts';
import { BASELINE, block, bytes, packet } from './writer.ts';

describe('encodeRequest', () => {
  it('writes the bytes of the protocol', () => {
    expect(uwsgiRequests.encodeRequest(['REQUEST_METHOD', 'GET'], 0)).toEqual(
      bytes('\x00\x15\x00\x00\x0e\x00REQUEST_METHOD\x03\x00GET'),
    );
    const variables = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', 'PATH_INFO', '/', 'SERVER_PROTOCOL', 'HTTP/1.1'];
    expect(uwsgiRequests.encodeRequest([...variables, 'CONTENT_LENGTH', ''], 0)).toEqual(BASELINE);
  });

  it('adds nothing and reorders nothing: a request may have no CONTENT_LENGTH', () => {
    const flat = ['B', '1', 'A', '2', 'CONTENT_LENGTH', '3', 'B', '4'];
    expect(uwsgiRequests.encodeRequest(flat, 3)).toEqual(packet(block(...flat)));
  });

  it('writes sizes little-endian, up to the largest block', () => {
    const bytes = uwsgiRequests.encodeRequest(['A', 'x'.repeat(65_530)], 0);
    expect([...bytes.subarray(0, 4)]).toEqual([0, 0xff, 0xff, 0]);
    expect(bytes).toHaveLength(4 + 65_535);
  });

  it('refuses a larger one, and the connection writes nothing', () => {
    const client = uwsgi.client(limitsWith());
    const variables = ['A', 'x'.repeat(65_531)];
    expect(() => client.send({ type: 'request', id: 1, variables, keep: false })).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_ENV_BYTES' }),
    );
    expect(outputText(client)).toBe('');
  });
});
