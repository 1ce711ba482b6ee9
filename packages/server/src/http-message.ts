import type { IncomingMessage } from 'node:http';
import { type Limits, printable, RemoteProtocolError } from '@postern/core';

/** A host, and a port behind it: what Host and an absolute target may name. */
export const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]"'<>\\]+)(?::(\d{1,5}))?$/i;

/** @throws RemoteProtocolError ERR_HTTP_REQUEST (400) */
function refuse(message: string): never {
  throw new RemoteProtocolError('ERR_HTTP_REQUEST', message, { scope: 'request' });
}

/**
 * The authority of a target in absolute form: it counts, whatever Host says (RFC 9112 §3.2.2). undefined: the target is
 * in another form.
 */
export function targetAuthority(target: string): string | undefined {
  return target.startsWith('/') ? undefined : /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
}

/**
 * What node:http lets through: more fields than the limit, and what HTTP/1.1 does not allow, an asterisk with another
 * method than OPTIONS, an absolute target that names no host, a transfer coding other than chunked.
 * @throws RemoteProtocolError ERR_ENV_COUNT (431), ERR_HTTP_REQUEST (400)
 */
export function checkMessage(req: IncomingMessage, limits: Limits): void {
  const count = req.rawHeaders.length / 2;
  if (count > limits.maxEnvCount) {
    throw new RemoteProtocolError('ERR_ENV_COUNT', `${count} header fields, maxEnvCount is ${limits.maxEnvCount}`, {
      limit: 'maxEnvCount',
      scope: 'request',
      status: 431,
    });
  }
  const { method, url: target = '', httpVersion } = req;
  if (
    !target.startsWith('/') &&
    !(target === '*' && method === 'OPTIONS') &&
    !AUTHORITY.test(targetAuthority(target) ?? '')
  )
    refuse(`the target "${printable(target.slice(0, 40))}" of ${method} has a form that is not allowed`);
  const coding = req.headers['transfer-encoding'];
  if (coding === undefined) return;
  if (httpVersion !== '1.1') refuse(`a transfer coding in HTTP/${httpVersion}`);
  if (coding.toLowerCase() !== 'chunked')
    refuse(`the transfer coding "${printable(coding.slice(0, 40))}": a body comes chunked, or as it is`);
}
