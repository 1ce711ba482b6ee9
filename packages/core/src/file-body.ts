import { type FileHandle, open } from 'node:fs/promises';
import type { FileBody } from './application.ts';

const PIECE = 65_536;

/** The bytes of a file body, in pieces of 64 KiB. What is opened here is closed here. @throws what the file system says */
export async function* readFileBody(file: FileBody): AsyncGenerator<Uint8Array, void, void> {
  const handle: FileHandle = 'handle' in file ? file.handle : await open(file.path, 'r');
  try {
    let at = file.start ?? 0;
    const end = file.end ?? Number.POSITIVE_INFINITY;
    while (at <= end) {
      // a fresh buffer each time: the one before may still wait to be sent
      const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, end - at + 1));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
    }
  } finally {
    if (!('handle' in file)) await handle.close();
  }
}
