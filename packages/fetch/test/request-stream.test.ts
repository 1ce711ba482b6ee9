import { describe, expect, it } from '@jest/globals';
import { AbortError, RequestBody } from '@postern/core';
import { bodyStream } from '../src/request-stream.ts';
import { until } from './fake-exchange.ts';

function openBody(): { input: RequestBody; asked: () => number } {
  let asked = 0;
  const input = new RequestBody({ wantBody: () => void asked++ }, -1, false);
  return { input, asked: () => asked };
}

describe('the body stream of a request', () => {
  it('asks for a chunk when it is read, not before', async () => {
    const { input, asked } = openBody();
    const reader = bodyStream(input).getReader();
    await until(() => true);
    expect(asked()).toBe(0);
    const first = reader.read();
    await until(() => asked() === 1);
    input.push(Buffer.from('one'));
    expect(Buffer.from((await first).value as Uint8Array).toString()).toBe('one');
    expect(asked()).toBe(1);
  });

  it('holds the sender back: what comes unasked waits outside of it', async () => {
    const { input, asked } = openBody();
    const reader = bodyStream(input).getReader();
    for (const text of ['a', 'b', 'c']) input.push(Buffer.from(text));
    const texts: string[] = [];
    for (let i = 0; i < 3; i++) texts.push(Buffer.from((await reader.read()).value as Uint8Array).toString());
    expect(texts).toEqual(['a', 'b', 'c']);
    expect(asked()).toBe(0);
  });

  it('answers reads that were begun together in order, asking for a chunk at a time', async () => {
    const { input, asked } = openBody();
    const reader = bodyStream(input).getReader();
    const reads = [reader.read()];
    await until(() => asked() === 1);
    reads.push(reader.read(), reader.read());
    let turns = 0;
    await until(() => turns++ > 3);
    expect(asked()).toBe(1);
    input.push(Buffer.from('1'));
    await until(() => asked() === 2);
    input.push(Buffer.from('2'));
    input.finish();
    const results = await Promise.all(reads);
    expect(results.map(({ done, value }) => (done ? 'end' : Buffer.from(value as Uint8Array).toString()))).toEqual([
      '1',
      '2',
      'end',
    ]);
  });

  it('gives chunks that own their memory', async () => {
    const { input } = openBody();
    const received = Buffer.from('neighbour|mine|neighbour');
    input.push(received.subarray(10, 14));
    const { value } = await bodyStream(input).getReader().read();
    expect(Buffer.from((value as Uint8Array).buffer as ArrayBuffer).toString()).toBe('mine');
    expect(received.toString()).toBe('neighbour|mine|neighbour');
  });

  it('fills a buffer that the reader brings, and gives it back at the end', async () => {
    const { input } = openBody();
    const reader = bodyStream(input).getReader({ mode: 'byob' });
    input.push(Buffer.from('abcdef'));
    const first = await reader.read(new Uint8Array(4));
    const second = await reader.read(new Uint8Array(4));
    expect([
      Buffer.from(first.value as Uint8Array).toString(),
      Buffer.from(second.value as Uint8Array).toString(),
    ]).toEqual(['abcd', 'ef']);
    const last = reader.read(new Uint8Array(4));
    input.finish();
    expect((await last).done).toBe(true);
  });

  it('passes over empty chunks', async () => {
    const { input, asked } = openBody();
    const reader = bodyStream(input).getReader();
    const read = reader.read();
    await until(() => asked() === 1);
    input.push(Buffer.alloc(0));
    input.push(Buffer.from('x'));
    expect(Buffer.from((await read).value as Uint8Array).toString()).toBe('x');
  });

  it('errors when the client leaves, after what had come', async () => {
    const { input } = openBody();
    const reader = bodyStream(input).getReader();
    input.push(Buffer.from('part'));
    const error = new AbortError('ERR_ABORTED', 'the client left');
    input.fail(error);
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('part');
    await expect(reader.read()).rejects.toBe(error);
  });

  it('asks for nothing more once it is cancelled', async () => {
    const { input, asked } = openBody();
    const reader = bodyStream(input).getReader();
    const read = reader.read();
    await until(() => asked() === 1);
    await reader.cancel();
    expect((await read).done).toBe(true);
    input.push(Buffer.from('late'));
    input.push(Buffer.from('later'));
    input.finish();
    expect(asked()).toBe(1);
  });
});
