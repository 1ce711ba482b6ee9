import { type ReplyEvent, reasonOf } from '@postern/core';

/** A short reply that is not the application's. */
export function ownReply(id: number, method: string, status: number, why?: string): ReplyEvent {
  const reason = reasonOf(status);
  const text = `${status} ${reason}${why === undefined ? '' : `: ${why}`}\n`;
  const headers = ['Content-Type', 'text/plain', 'Content-Length', String(text.length)];
  if (status === 503) headers.push('Retry-After', '1');
  return { type: 'whole', id, status, reason, headers, body: method === 'HEAD' ? null : text };
}
