import { fstatSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Whether a socket on a standard descriptor listens: libuv never closes those, so that trying it harms nothing. No
 * connection is accepted.
 */
export function isListening(fd: 0 | 1 | 2): boolean {
  try {
    if (!fstatSync(fd).isSocket()) return false;
  } catch {
    return false;
  }
  const server = createServer();
  // a socket that is connected, for instance
  server.on('error', () => {});
  server.listen({ fd });
  const { listening } = server;
  server.close();
  return listening;
}
