import { CgiHead, type LimitName, limitsWith, type Notice, type PeerOptions, RemoteProtocolError } from '@postern/core';
import type { ByteQueue } from '../src/byte-queue.ts';
import type { OneShotRequests } from '../src/one-shot-client.ts';
import { type OneShotFormat, type OneShotHead, OneShotServerConnection } from '../src/one-shot-server.ts';

/**
 * The smallest protocol of its kind: '<' and one digit for the length of the block, then a method and CONTENT_LENGTH with
 * a space between, both may be missing. A block '?' is a ping, UP asks for an upgrade, N is worth a notice, and '!' finds
 * a defect of this reader.
 */
class SmallHead implements OneShotHead {
  #length = 0;
  notice: Notice | undefined;

  takeLength(input: ByteQueue): boolean {
    if (input.length > 0 && input.peek(0) !== 0x3c) throw new RemoteProtocolError('ERR_SCGI_NETSTRING', 'no "<"');
    if (input.length < 2) return false;
    this.#length = Number(input.take(2).toString('latin1', 1));
    if (Number.isNaN(this.#length))
      throw new RemoteProtocolError('ERR_ENV_BYTES', 'no digit', { scope: 'request', status: 431 });
    return true;
  }

  takeBlock(input: ByteQueue): CgiHead | string | undefined {
    if (input.length < this.#length) return undefined;
    const [method, length] = input.take(this.#length).toString('latin1').split(' ');
    if (method === '?') return 'alive';
    if (method === '!') throw new TypeError('a defect');
    if (method === 'N') this.notice = { code: 'ERR_SCGI_HEADERS', message: 'noted' };
    if (method === 'UP')
      return CgiHead.of(['REQUEST_METHOD', 'GET', 'HTTP_UPGRADE', 'x', 'HTTP_CONNECTION', 'upgrade']);
    return CgiHead.of(['REQUEST_METHOD', method, ...(length === undefined ? [] : ['CONTENT_LENGTH', length])]);
  }
}

export const small: OneShotFormat = {
  broken: 'ERR_SCGI_NETSTRING',
  head: () => new SmallHead(),
  replyHead: (status, reason, headers) => `${status} ${reason} ${headers.join('=')}|`,
};

export interface Setting {
  readonly limits?: Partial<Record<LimitName, number>>;
  readonly peer?: PeerOptions;
}

export function server({ limits, peer }: Setting = {}): OneShotServerConnection {
  return new OneShotServerConnection(small, limitsWith(limits), peer);
}

export function ask(method: string, body?: string): string {
  const block = body === undefined ? method : `${method} ${body.length}`;
  return `<${block.length}${block}${body ?? ''}`;
}

/** What a client writes: the names and values with a space behind each, then CONTENT_LENGTH and a bar. */
export const requests: OneShotRequests = {
  name: 'small',
  encodeRequest: (variables, contentLength) => Buffer.from(`${variables.join(' ')} ${contentLength}|`, 'latin1'),
  statusLine: false,
  ping: { ask: Buffer.from('?'), answer: Buffer.from('alive') },
};
