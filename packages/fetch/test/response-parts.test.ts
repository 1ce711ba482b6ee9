import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { responseParts } from '../src/response-parts.ts';

async function textOf(body: unknown): Promise<string> {
  return body === null ? '' : await new Response(body as ReadableStream).text();
}

describe('the parts of a Response', () => {
  it('are its status, reason, headers and body', async () => {
    const parts = responseParts(
      new Response('text', { status: 418, statusText: 'Short And Stout', headers: { 'X-Name': 'caf\xe9' } }),
    );
    expect([parts.status, parts.reason]).toEqual([418, 'Short And Stout']);
    expect(parts.headers).toEqual(['content-type', 'text/plain;charset=UTF-8', 'x-name', 'caf\xe9']);
    expect(await textOf(parts.body)).toBe('text');
  });

  it('have the registered reason where the Response has none', () => {
    expect(responseParts(new Response(null, { status: 404 })).reason).toBe('Not Found');
    expect(responseParts(new Response(null, { status: 599 })).reason).toBe('599');
  });

  it('keep each Set-Cookie apart, and join other repeated fields', () => {
    const headers = new Headers([
      ['set-cookie', 'a=1; Path=/'],
      ['vary', 'accept'],
      ['set-cookie', 'b=2, c'],
      ['vary', 'cookie'],
    ]);
    expect(responseParts(new Response(null, { headers })).headers).toEqual([
      'set-cookie',
      'a=1; Path=/',
      'set-cookie',
      'b=2, c',
      'vary',
      'accept, cookie',
    ]);
  });

  it('have a content-length that the application set, and none that it did not', () => {
    expect(responseParts(new Response('four', { headers: { 'content-length': '4' } })).headers).toContain(
      'content-length',
    );
    expect(responseParts(new Response('four')).headers).not.toContain('content-length');
  });

  it('have no body where there is none', () => {
    expect(responseParts(new Response(null)).body).toBeNull();
    expect(responseParts(new Response()).body).toBeNull();
  });

  it('are those of Response.json and Response.redirect too', async () => {
    const json = responseParts(Response.json({ a: 1 }));
    expect([json.headers, await textOf(json.body)]).toEqual([['content-type', 'application/json'], '{"a":1}']);
    const redirect = responseParts(Response.redirect('http://other.test/', 303));
    expect([redirect.status, redirect.headers, redirect.body]).toEqual([303, ['location', 'http://other.test/'], null]);
  });

  it('are refused for Response.error()', () => {
    expect(() => responseParts(Response.error())).toThrow(expect.objectContaining({ code: 'ERR_APP_REPLY' }));
  });

  it('are refused when the body has been read, or is being read', async () => {
    const read = new Response('once');
    await read.text();
    const locked = new Response('locked');
    locked.body?.getReader();
    const stream = new Response(new ReadableStream());
    stream.body?.getReader();
    const begun = new Response('begun');
    const reader = begun.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    for (const response of [read, locked, stream, begun])
      expect(() => responseParts(response)).toThrow(
        expect.objectContaining({ code: 'ERR_APP_REPLY', message: expect.stringContaining('used already') }),
      );
  });

  it('are those of the original when a clone is read', async () => {
    const response = new Response('both');
    const clone = response.clone();
    const parts = responseParts(response);
    expect([await textOf(parts.body), await clone.text()]).toEqual(['both', 'both']);
  });

  it('are taken from an object of another realm or library', async () => {
    class OtherResponse {
      status = 203;
      statusText = '';
      headers = new Map([['x-name', 'value']]);
      body = Readable.from([Buffer.from('from '), Buffer.from('elsewhere')]);
    }
    const parts = responseParts(new OtherResponse());
    expect([parts.status, parts.reason, parts.headers]).toEqual([
      203,
      'Non-Authoritative Information',
      ['x-name', 'value'],
    ]);
    expect(await textOf(parts.body)).toBe('from elsewhere');
  });

  it('are refused when such an object has a body that is none', () => {
    class OtherResponse {
      status = 200;
      headers = new Headers();
      body = { something: 'else' };
    }
    expect(() => responseParts(new OtherResponse())).toThrow(expect.objectContaining({ code: 'ERR_APP_REPLY' }));
  });
});
