import { reasonOf } from '@postern/core';

/** A reply of our own beside node:http's, behind which the connection closes. */
export function plainReply(status: number): string {
  const reason = reasonOf(status);
  const body = `${status} ${reason}\n`;
  return `HTTP/1.1 ${body.trimEnd()}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
