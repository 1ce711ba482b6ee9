import type { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import { getDefaultHighWaterMark } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import type { Exchange } from '@postern/core';
import { parsePeerCertificate } from './peer-certificate.ts';

const highWaterMark = getDefaultHighWaterMark(false);
/** `end()` of a response sets `corked` here before it uncorks; the count that matters is the socket's own. */
const writableState = { corked: 0 };

/** An EventEmitter whose table of listeners is made for the first of them: its own constructor makes one at once. */
const LateEmitter = function LateEmitter() {} as unknown as typeof EventEmitter;
Object.defineProperty(LateEmitter, 'prototype', { value: EventEmitter.prototype });

/** What a socket tells of its two ends, as the web server tells it in the environ, which is read when somebody asks. */
export class PeerSocket extends LateEmitter {
  declare _eventsCount: number;
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    super();
    this.#exchange = exchange;
  }

  /** The exchange behind a socket; undefined where it is another kind of socket. */
  static exchangeOf(socket: unknown): Exchange | undefined {
    return typeof socket === 'object' && socket !== null && #exchange in socket ? socket.#exchange : undefined;
  }

  /** undefined where the client came by a unix socket. */
  get remoteAddress(): string | undefined {
    return address(this.#exchange.environ.REMOTE_ADDR);
  }

  get remotePort(): number | undefined {
    return port(this.#exchange.environ.REMOTE_PORT);
  }

  get remoteFamily(): string | undefined {
    return family(this.remoteAddress);
  }

  get localAddress(): string | undefined {
    return address(this.#exchange.environ.SERVER_ADDR);
  }

  get localPort(): number | undefined {
    return port(this.#exchange.environ.SERVER_PORT);
  }

  get localFamily(): string | undefined {
    return family(this.localAddress);
  }

  address(): { address: string; family: string; port: number } | Record<string, never> {
    const { localAddress, localPort, localFamily } = this;
    if (localAddress === undefined || localPort === undefined || localFamily === undefined) return {};
    return { address: localAddress, family: localFamily, port: localPort };
  }

  get encrypted(): boolean {
    return this.#exchange.head.scheme === 'https';
  }

  /** The web server found the client's certificate good. */
  get authorized(): boolean {
    return this.#exchange.environ.SSL_CLIENT_VERIFY === 'SUCCESS';
  }

  /** The client's certificate as `tls` describes it; empty where there is none. */
  getPeerCertificate(): PeerCertificate | Record<string, never> {
    return (this.getPeerX509Certificate()?.toLegacyObject() as PeerCertificate | undefined) ?? {};
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return parsePeerCertificate(this.#exchange.environ.SSL_CLIENT_CERT);
  }

  /** TLSv1.2, TLSv1.3 …; null where there is no TLS, or the web server does not tell. */
  getProtocol(): string | null {
    const protocol = this.#exchange.environ.SSL_PROTOCOL;
    return typeof protocol === 'string' && protocol !== '' ? protocol : null;
  }

  get _writableState(): { corked: number } {
    return writableState;
  }

  get readableHighWaterMark(): number {
    return highWaterMark;
  }

  get writableHighWaterMark(): number {
    return highWaterMark;
  }

  get connecting(): boolean {
    return false;
  }

  get pending(): boolean {
    return false;
  }

  /** Not counted: the bytes of a request are not those of a connection. */
  get bytesRead(): number {
    return 0;
  }

  get bytesWritten(): number {
    return 0;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function address(value: string | undefined): string | undefined {
  return value !== undefined && isIP(value) !== 0 ? value : undefined;
}

function port(value: string | undefined): number | undefined {
  return value !== undefined && /^[0-9]{1,5}$/.test(value) ? Number(value) : undefined;
}

function family(value: string | undefined): string | undefined {
  return value === undefined ? undefined : `IPv${isIP(value)}`;
}
