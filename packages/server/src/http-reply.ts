import { reasonOf } from '@postern/core';

/** A reply of our own beside node:http's, behind which the connection closes. */
export function plainReply(status: number): string {
  const reason = reasonOf(status);
  const body = `${status} ${reason}\n`;
  const later = status === 503 ? 'Retry-After: 1\r\n' : '';
  return `HTTP/1.1 ${body.trimEnd()}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n${later}Connection: close\r\n\r\n${body}`;
}
