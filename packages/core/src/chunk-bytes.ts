// the global is a getter, which costs more than what is asked of it
import { Buffer } from 'node:buffer';
import type { Chunk } from './application.ts';

/** How many bytes a chunk is on its way. */
export function chunkBytes(chunk: Chunk | null): number {
  if (chunk === null) return 0;
  return typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
}
