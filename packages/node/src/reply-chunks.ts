import type { Chunk } from '@postern/core';

export function isUtf8(encoding: string | null | undefined): boolean {
  return !encoding || encoding === 'utf8' || encoding === 'utf-8' || /^utf-?8$/i.test(encoding);
}

export function join(chunks: Chunk[]): Chunk {
  if (chunks.every((chunk) => typeof chunk === 'string')) return chunks.join('');
  return Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
}
