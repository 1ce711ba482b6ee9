import { PassThrough } from 'node:stream';

/**
 * The Response of srvx, which h3 answers with, keeps its parts as they were given and hands them over once. That spares
 * the native Response and its stream.
 */
export interface SrvxResponse {
  _toNodeResponse(): { status: number; statusText: string; headers: string[]; body?: unknown };
}

/** What React's `renderToPipeableStream` gives: no stream, but it can write to one. */
interface Pipeable {
  pipe(into: PassThrough): unknown;
  abort?(): void;
}

export function isSrvxResponse(response: object): response is SrvxResponse {
  return typeof (response as Partial<SrvxResponse>)._toNodeResponse === 'function';
}

/** The body as something that can be read. */
export function readable(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Symbol.asyncIterator in body) return body;
  const source = body as Pipeable;
  if (typeof source.pipe !== 'function') return body;
  const through = new PassThrough();
  through.once('close', () => source.abort?.());
  source.pipe(through);
  return through;
}
