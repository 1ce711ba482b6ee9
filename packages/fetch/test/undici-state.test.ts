import { describe, expect, it } from '@jest/globals';
import { forwardRequestState, responseSource } from '../src/undici-state.ts';

const [major] = process.versions.node.split('.').map(Number);
/** Node keeps the state of a Response where it can be seen. */
const open = major < 24;

describe('what is known of the inside of a Response', () => {
  it('is the text or bytes it was made of, up to Node 22', () => {
    expect(responseSource(new Response('text'))).toBe(open ? 'text' : undefined);
    expect(responseSource(new Response(''))).toBe(open ? '' : undefined);
    expect(responseSource(Response.json([1]))).toEqual(open ? new Uint8Array(Buffer.from('[1]')) : undefined);
    const bytes = Buffer.from('bytes');
    const response = new Response(bytes);
    bytes.fill(0);
    expect(responseSource(response)).toEqual(open ? new Uint8Array(Buffer.from('bytes')) : undefined);
  });

  it('is nothing where the body is none, a stream, or touched', async () => {
    expect(responseSource(new Response(null))).toBeUndefined();
    expect(responseSource(new Response(new ReadableStream()))).toBeUndefined();
    expect(responseSource(new Response(new Blob(['blob'])))).toBeUndefined();
    const read = new Response('read');
    await read.text();
    expect(responseSource(read)).toBeUndefined();
    const locked = new Response('locked');
    locked.body?.getReader();
    expect(responseSource(locked)).toBeUndefined();
    const begun = new Response('begun');
    const reader = begun.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    expect(responseSource(begun)).toBeUndefined();
    expect(responseSource({} as Response)).toBeUndefined();
  });

  it('lets another object stand in for a Request up to Node 22', () => {
    const native = new Request('http://site.test/', { headers: { 'x-a': '1' } });
    const standIn = Object.create(Request.prototype) as Request;
    expect(forwardRequestState(standIn, () => native)).toBe(open);
    if (open) expect(new Request(standIn).headers.get('x-a')).toBe('1');
    else expect(Object.getOwnPropertySymbols(standIn)).toEqual([]);
  });
});
