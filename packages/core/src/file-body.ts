import { type FileHandle, open } from 'node:fs/promises';
import type { FileBody } from './application.ts';
import type { Exchange } from './exchange.ts';
import { sendPieces } from './send-body.ts';

const PIECE = 65_536;

/**
 * Sends a reply whose body is a file. It is opened before the head goes out, so that one that is not there is answered
 * 500; what is opened here is closed here. Never rejects.
 */
export async function sendFile(
  exchange: Exchange,
  head: { status: number; reason: string; headers: string[] },
  file: FileBody,
): Promise<void> {
  try {
    const handle = 'handle' in file ? file.handle : await open(file.path, 'r');
    try {
      await sendPieces(exchange, exchange.start(head.status, head.reason, head.headers), readPieces(handle, file));
    } finally {
      if (!('handle' in file)) await handle.close();
    }
  } catch (error) {
    exchange.fail(error);
  }
}

async function* readPieces(handle: FileHandle, file: FileBody): AsyncGenerator<Uint8Array, void, void> {
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
}
