import {
  AbortError,
  type BodyWriter,
  buildEnviron,
  type Chunk,
  checkHeaders,
  checkStatus,
  chunkBytes,
  describeError,
  type Environ,
  type ErrorSink,
  type Exchange,
  isBodyless,
  isEventStream,
  LocalProtocolError,
  type RequestBody,
  type RequestEvent,
  type RequestHead,
  type Role,
  Tunnel,
  unbuffered,
} from '@postern/core';
import { ErrorLines } from './error-lines.ts';
import { asAbort, bodyLost, bodyTooLong, checkLength, headSent, repliedError } from './exchange-errors.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { sendInterim } from './interim.ts';
import { noticeLongHead, PAGE } from './long-head.ts';
import { type OverListeners, tellOver, withListener } from './over-listeners.ts';
import { ownReply } from './own-reply.ts';
import { type BodyOwner, ReceivedBody } from './received-body.ts';
import { ReplyWriter } from './reply-writer.ts';
import type { SpoolStore } from './spool.ts';
import type { TunnelEnd } from './tunnel-end.ts';
import { canUpgrade, NO_UPGRADE, startTunnel } from './upgrade.ts';
import type { BodyPace } from './watchdog.ts';

/** Replies in memory up to this size are one event; a larger one is queued, or it would starve its neighbours. */
const WHOLE = 65_536;

/** One request of one connection. What the application does not touch is not built. */
export class ServerExchange implements Exchange, BodyOwner, ErrorSink {
  readonly id: number;
  readonly role: Role;
  readonly head: RequestHead;
  inputComplete: boolean;
  /** When the head was complete, or the latest body bytes came, by the server's clock: from then the application works. */
  since: number;
  /** When body bytes came, or were waited for. */
  bodySince: number;
  /** Of the body that the application waits for: see `checkExchange`. */
  pace: BodyPace | undefined;
  /** What the handler returned: if it is a promise, the application works until that is settled. */
  work: unknown;
  readonly #host: ExchangeHost;
  #phase: 'waiting' | 'body' | 'tunnel' | 'over' = 'waiting';
  #started = false;
  #bodyBytes = 0;
  #input: ReceivedBody | undefined;
  #environ: Environ | undefined;
  #controller: AbortController | undefined;
  #writer: ReplyWriter | undefined;
  #tunnel: TunnelEnd | undefined;
  #errorLines: ErrorLines | undefined;
  /** Why it is over; undefined although over: the reply was complete. */
  #reason: AbortError | undefined;
  #overListeners: OverListeners;

  constructor(host: ExchangeHost, event: RequestEvent & { type: 'request' }) {
    this.id = event.id;
    this.role = event.role;
    this.head = event.head;
    this.since = host.context.now;
    this.bodySince = this.since;
    this.#host = host;
    this.inputComplete = event.ended;
    host.context.load.begin();
  }

  get protocol(): string {
    return this.#host.protocol.name;
  }

  get environ(): Environ {
    this.#environ ??= buildEnviron(this, this.#host.context.mount);
    return this.#environ;
  }

  get input(): RequestBody {
    return this.#received.body;
  }

  get #received(): ReceivedBody {
    if (this.#input === undefined) {
      this.#input = new ReceivedBody(this, this.head.contentLength, this.inputComplete);
      if (this.#phase === 'over') this.#input.body.fail(this.#reason ?? repliedError());
    }
    return this.#input;
  }

  get errors(): ErrorSink {
    return this;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  get started(): boolean {
    return this.#started;
  }

  onOver(listener: (error: Error | undefined) => void): void {
    if (this.#phase === 'over') tellOver(listener, this.#reason, this, this.#host.context);
    else this.#overListeners = withListener(this.#overListeners, listener);
  }

  respond(status: number, reason: string, headers: string[], body: Chunk | null): void {
    if (this.#givenUp) return;
    const { id } = this;
    const checked = this.#checkHead(status, reason, headers);
    const size = chunkBytes(body);
    const bodyless = isBodyless(this.head.method, status);
    if (!bodyless) checkLength(size, checked.contentLength);
    if (bodyless || size <= WHOLE) {
      const whole = bodyless ? null : body;
      this.#host.send({ type: 'whole', id, status, reason, headers: checked.headers, body: whole, size });
    } else {
      this.#host.send({ type: 'head', id, status, reason, headers: checked.headers });
      this.#host.send({ type: 'data', id, chunk: body as Chunk });
      this.#host.send({ type: 'end', id });
    }
    this.#started = true;
    this.#end(undefined);
    this.#host.flush();
  }

  start(status: number, reason: string, headers: string[]): BodyWriter {
    if (this.#givenUp) return new ReplyWriter(this, this.#host, -1, true);
    const checked = this.#checkHead(status, reason, headers);
    const events = isEventStream(checked.headers);
    const sent = events ? unbuffered(checked.headers) : checked.headers;
    this.#host.send({ type: 'head', id: this.id, status, reason, headers: sent });
    this.#started = true;
    this.#phase = 'body';
    const bodyless = isBodyless(this.head.method, status);
    this.#writer = new ReplyWriter(this, this.#host, checked.contentLength, bodyless, events);
    // its head alone tells a browser that the stream is there
    if (events) this.#writer.flush();
    this.#host.flushSoon();
    return this.#writer;
  }

  /** Over, and not because the application answered: what it says now is for nobody. */
  get #givenUp(): boolean {
    return this.#phase === 'over' && this.#reason !== undefined;
  }

  #checkHead(status: number, reason: string, headers: string[]): { headers: string[]; contentLength: number } {
    if (this.#phase !== 'waiting') throw headSent();
    checkStatus(status, reason);
    const checked = checkHeaders(headers, this.#host.limits);
    if (checked.bytes > PAGE) noticeLongHead(this, this.#host, checked.bytes);
    return checked;
  }

  inform(status: number, headers: string[]): boolean {
    return this.#phase === 'waiting' && sendInterim(this, this.#host, status, headers);
  }

  get upgradable(): boolean {
    return this.#phase === 'waiting' && canUpgrade(this, this.#host);
  }

  upgrade(status: number, headers: string[], tunnel = new Tunnel()): Tunnel | undefined {
    if (this.#givenUp) return undefined;
    if (this.#phase !== 'waiting') throw headSent();
    const end = startTunnel(this, this.#host, status, headers, tunnel);
    if (end === undefined) {
      this.#respondPlain(501, NO_UPGRADE);
      return undefined;
    }
    this.#started = true;
    this.#phase = 'tunnel';
    this.#tunnel = end;
    tunnel.open(end);
    this.#host.flushSoon();
    return tunnel;
  }

  fail(error: unknown): void {
    try {
      if (this.#phase === 'over') {
        // what an application throws because its client has left is no failure
        if (this.#reason === undefined && !(error instanceof AbortError)) this.#report(error);
        return;
      }
      if (error instanceof LocalProtocolError && error.limit !== undefined) this.#host.context.counts[error.limit]++;
      const hint = error instanceof AbortError ? error.statusHint : 0;
      if (hint === 0 || this.#phase !== 'waiting') {
        if (this.#host.protocol.carriesLog) this.write(`${describeError(error)}\n`);
        this.#report(error);
      }
      if (this.#phase === 'waiting') this.#respondPlain(hint || 500);
      else this.breakOff(asAbort(error));
    } catch (defect) {
      this.#host.defect(defect);
    }
  }

  #report(error: unknown): void {
    this.#host.context.report(error, this);
  }

  #respondPlain(status: number, why?: string): void {
    this.#host.send(ownReply(this.id, this.head.method, status, why));
    this.#started = true;
    this.#end(undefined);
    this.#host.flush();
  }

  /** ErrorSink: lines for the web server's error log, or for the process's own. */
  write(text: string): void {
    if (text === '') return;
    this.#errorLines ??= new ErrorLines(this.#host, this.id);
    this.#errorLines.write(text);
  }

  bodyWanted(): void {
    this.bodySince = this.#host.context.now;
  }

  pullBody(): void {
    if (this.#phase !== 'over') this.#host.pull(this.id);
  }

  loseBody(error: Error): void {
    this.end(bodyLost(error));
  }

  /**
   * The transport: this body fills its window, and others wait behind it.
   * @returns true: a further window of it finds room
   */
  keepBody(store: SpoolStore): boolean {
    const { sharedBodyHighWater } = this.#host.limits;
    if (this.#tunnel !== undefined) return this.#tunnel.waiting < sharedBodyHighWater;
    return this.#received.keep(store, sharedBodyHighWater);
  }

  /** The transport: body bytes came. */
  receive(chunk: Uint8Array): void {
    this.since = this.#host.context.now;
    this.bodySince = this.since;
    this.#bodyBytes += chunk.length;
    const { maxBody } = this.#host.limits;
    if (this.#tunnel !== undefined) this.#tunnel.received(chunk);
    else if (maxBody > 0 && this.#bodyBytes > maxBody) this.refuseBody();
    else this.#received.push(chunk);
  }

  refuseBody(): void {
    this.#host.context.counts.maxBody++;
    this.end(bodyTooLong(this.#host.limits.maxBody));
  }

  /** The transport: the body is whole. */
  receiveEnd(): void {
    this.inputComplete = true;
    if (this.#tunnel === undefined) this.#input?.end();
    else this.#tunnel.receivedEnd();
  }

  /** The application waits for body bytes. */
  get starved(): boolean {
    return this.#input?.body.starved === true;
  }

  /** Body bytes that have come. */
  get received(): number {
    return this.#bodyBytes;
  }

  get waiting(): boolean {
    return this.#phase === 'waiting';
  }

  /** The transport ends it: answered with the error's statusHint if that is possible, else broken off. Never throws. */
  end(error: AbortError): void {
    if (this.#phase === 'over') return;
    if (error.statusHint === 0) this.#end(error);
    else if (this.#phase !== 'waiting') this.breakOff(error);
    else {
      this.#reason = error;
      try {
        this.#respondPlain(error.statusHint);
      } catch (defect) {
        this.#host.defect(defect);
      }
    }
  }

  /** The reply cannot be completed, and the peer must see that. Never throws. */
  breakOff(error: AbortError): void {
    if (this.#phase === 'over') return;
    try {
      this.#host.send({ type: 'abort', id: this.id });
    } catch (defect) {
      this.#host.defect(defect);
    }
    this.#end(error);
    this.#host.flushSoon();
  }

  /** The writer: the reply is complete. */
  complete(): void {
    this.#host.send({ type: 'end', id: this.id });
    this.#end(undefined);
    this.#host.flushSoon();
  }

  #end(error: AbortError | undefined): void {
    if (this.#phase === 'over') return;
    const reason = error ?? this.#reason;
    this.#phase = 'over';
    this.#reason = reason;
    this.#host.release(this);
    this.#host.context.load.over(this.work, reason !== undefined);
    if (this.#input !== undefined && !this.#input.body.complete) this.#endInput(this.#input);
    if (reason !== undefined) this.#controller?.abort(reason);
    this.#writer?.wake();
    this.#tunnel?.over(reason);
    if (this.#overListeners !== undefined) tellOver(this.#overListeners, reason, this, this.#host.context);
  }

  #endInput(input: ReceivedBody): void {
    try {
      input.close(this.#reason);
    } catch (error) {
      this.#report(error);
    }
  }
}
