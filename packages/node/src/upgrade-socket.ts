import type { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { type Exchange, LocalProtocolError, reasonOf, Tunnel } from '@postern/core';
import type { ServerLike } from './gateway-socket.ts';
import { connectionReset } from './node-error.ts';
import { PeerSocket } from './peer-socket.ts';
import { SocketTimer } from './socket-timer.ts';
import { UpgradeAnswer } from './upgrade-answer.ts';

type Done = (error?: Error | null) => void;

/**
 * The socket of node's 'upgrade' event. What is written to it first is a raw HTTP answer: a 101 opens the tunnel, any
 * other one is the reply. It has of `net.Socket` what WebSocket libraries use.
 */
export class UpgradeSocket extends Tunnel {
  readonly server: ServerLike;
  readonly #exchange: Exchange;
  readonly #peer: PeerSocket;
  readonly #answer = new UpgradeAnswer();
  #answered = false;
  #timer: SocketTimer | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;

  constructor(exchange: Exchange, server: ServerLike) {
    super();
    this.server = server;
    this.#exchange = exchange;
    this.#peer = new PeerSocket(exchange);
    exchange.onOver((error) => this.#over(error));
  }

  /** The exchange behind a socket; undefined where it is another kind of socket. */
  static exchangeOf(socket: unknown): Exchange | undefined {
    return typeof socket === 'object' && socket !== null && #exchange in socket ? socket.#exchange : undefined;
  }

  /** It ended before there was a tunnel, which tells the tunnel's own ends. */
  #over(error: Error | undefined): void {
    if (this.opened) return;
    this.#answered = true;
    if (error === undefined) this.receivedEnd();
    else this.destroy(connectionReset(error));
  }

  override received(chunk: Uint8Array): void {
    this.#bytesRead += chunk.length;
    this.#timer?.touch();
    super.received(chunk);
  }

  override _write(chunk: Buffer, encoding: string, done: Done): void {
    this.#written(chunk);
    if (this.opened) super._write(chunk, encoding as BufferEncoding, done);
    else this.#answerWith([chunk], done);
  }

  override _writev(items: { chunk: Buffer }[], done: Done): void {
    for (const { chunk } of items) this.#written(chunk);
    if (this.opened) super._writev(items, done);
    else
      this.#answerWith(
        items.map(({ chunk }) => chunk),
        done,
      );
  }

  #written(chunk: Buffer): void {
    this.#bytesWritten += chunk.length;
    this.#timer?.touch();
  }

  /** Bytes of the raw answer, or behind it. */
  #answerWith(chunks: readonly Buffer[], done: Done): void {
    try {
      // what stands behind a refusal is for nobody
      if (!this.#answered) for (const chunk of chunks) this.#answer.push(chunk);
      const { head } = this.#answer;
      if (head !== undefined && !this.#answered) {
        if (head.status === 101) {
          this.#switch(done);
          return;
        }
        if (this.#answer.whole) this.#refuse();
      }
      done();
    } catch (error) {
      this.#fail(error);
      done(error as Error);
    }
  }

  #switch(done: Done): void {
    const { head, rest } = this.#answer;
    this.#answered = true;
    if (this.#exchange.upgrade(101, head?.headers ?? [], this) === undefined) {
      done();
      this.destroy();
    } else if (rest.length > 0) super._write(rest, 'buffer' as BufferEncoding, done);
    else done();
  }

  /** The answer is no 101: it is the reply. */
  #refuse(): void {
    this.#answered = true;
    const { head, rest } = this.#answer;
    if (head === undefined || this.#exchange.over) return;
    const { status, reason, headers, length } = head;
    const stated = length === Number.POSITIVE_INFINITY ? [...headers, 'Content-Length', String(rest.length)] : headers;
    this.#exchange.respond(status, reason || reasonOf(status), stated, rest.length === 0 ? null : rest);
  }

  #fail(error: unknown): void {
    this.#answered = true;
    this.#exchange.fail(error);
  }

  override _final(done: Done): void {
    this.#finishAnswer(undefined);
    super._final(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#timer?.stop();
    this.#finishAnswer(error ?? undefined);
    super._destroy(error, done);
  }

  /** There is no more of the answer than this. Who ends the socket without one has turned the request away. */
  #finishAnswer(error: Error | undefined): void {
    if (this.#answered || this.#exchange.over) return;
    try {
      const { head, empty } = this.#answer;
      if (head !== undefined && (this.#answer.whole || head.length === Number.POSITIVE_INFINITY)) this.#refuse();
      else if (error !== undefined) this.#fail(error);
      else if (empty) this.#turnAway();
      else this.#fail(new LocalProtocolError('ERR_UPGRADE', 'the answer to an upgrade was cut short'));
    } catch (refused) {
      this.#fail(refused);
    }
  }

  #turnAway(): void {
    this.#answered = true;
    const body = '400 Bad Request: nothing here takes this upgrade\n';
    this.#exchange.respond(400, reasonOf(400), ['Content-Type', 'text/plain'], body);
  }

  /** Waits for what was written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  resetAndDestroy(): this {
    return this.destroy(new LocalProtocolError('ERR_APP_ERROR', 'the application reset the connection'));
  }

  get timeout(): number {
    return this.#timer?.milliseconds ?? 0;
  }

  /**
   * Emits 'timeout' after so many milliseconds without a byte either way; 0: never.
   * @throws RangeError ERR_OUT_OF_RANGE
   */
  setTimeout(milliseconds: number, callback?: () => void): this {
    this.#timer ??= new SocketTimer(this);
    this.#timer.set(this.destroyed ? 0 : milliseconds);
    if (callback !== undefined) {
      if (milliseconds === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    return this;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten + this.writableLength;
  }

  get readyState(): string {
    if (this.destroyed) return 'closed';
    return this.readable && this.writable ? 'open' : this.writable ? 'writeOnly' : 'readOnly';
  }

  get connecting(): boolean {
    return false;
  }

  get pending(): boolean {
    return false;
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

  get remoteAddress(): string | undefined {
    return this.#peer.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#peer.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#peer.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#peer.localAddress;
  }

  get localPort(): number | undefined {
    return this.#peer.localPort;
  }

  get localFamily(): string | undefined {
    return this.#peer.localFamily;
  }

  address(): ReturnType<PeerSocket['address']> {
    return this.#peer.address();
  }

  get encrypted(): boolean {
    return this.#peer.encrypted;
  }

  get authorized(): boolean {
    return this.#peer.authorized;
  }

  getPeerCertificate(): PeerCertificate | Record<string, never> {
    return this.#peer.getPeerCertificate();
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#peer.getPeerX509Certificate();
  }

  getProtocol(): string | null {
    return this.#peer.getProtocol();
  }
}
