import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { AbortError, abortedError, type ErrorCode, type Limits, RemoteProtocolError } from '@postern/core';
import { ServerExchange } from './exchange.ts';
import { type ConnectionVariables, connectionVariables, httpHead } from './http-head.ts';
import { hookRaw, hookReply, hookRequest, hookSpoken, unhookSpoken } from './http-hooks.ts';
import { HttpHost } from './http-host.ts';
import { checkMessage } from './http-message.ts';
import type { HttpProtocol } from './http-protocol.ts';
import { plainReply } from './http-reply.ts';
import { ListenerRequest } from './listener-request.ts';
import { PeerLog } from './log.ts';
import { RequestProgress } from './request-progress.ts';
import { admit } from './running.ts';
import type { ServedConnection, ServerContext } from './served-connection.ts';
import { bytesTaken, resetSocket } from './socket-handle.ts';
import { Watchdog, type Watched, type WatchedOutlet } from './watchdog.ts';
import { wrongProtocolMessage } from './wrong-protocol.ts';

export type Run = ServerExchange | ListenerRequest;

/** One connection of node:http: its clocks, its limits and its end, which are the same as those of framed protocols. */
export class HttpConnection implements ServedConnection, Watched, WatchedOutlet {
  place = -1;
  readonly context: ServerContext;
  readonly limits: Limits;
  readonly counts: ServerContext['counts'];
  readonly running = new Set<Run>();
  readonly #protocol: HttpProtocol;
  readonly #raw: Socket;
  readonly #watchdog: Watchdog;
  readonly #log: PeerLog;
  /** What HTTP is spoken on: `raw`, or the inside of its TLS; undefined until that is established. */
  #socket: Socket | undefined;
  #variables: ConnectionVariables | undefined;
  #nextId = 1;
  readonly #progress: RequestProgress;
  #reply: ServerResponse | undefined;
  #retired = false;
  #upgraded = false;
  #dead = false;
  /** Bytes received when our half was closed; -1: it is open. */
  #lingerFrom = -1;

  constructor(context: ServerContext, protocol: HttpProtocol, raw: Socket) {
    this.context = context;
    this.limits = context.limits;
    this.counts = context.counts;
    this.#protocol = protocol;
    this.#raw = raw;
    this.#watchdog = new Watchdog(context.now);
    this.#progress = new RequestProgress(raw, context.now);
    this.#log = new PeerLog(context, protocol.name, raw);
    hookRaw(raw, this);
    if (protocol.tls === undefined) this.speakOn(raw);
  }

  /** HTTP is spoken on this socket from now on. */
  speakOn(socket: Socket): void {
    this.#socket = socket;
    hookSpoken(socket, this);
  }

  /** The first bytes of a request came before this was made. */
  began(since: number): void {
    this.#watchdog.settle(true, since);
  }

  /** The first bytes are of another protocol, which is not to be answered in HTTP. */
  wrongProtocol(found: string): void {
    const { name } = this.#protocol;
    this.#log.write('warn', 'protocol_error', 'ERR_WRONG_PROTOCOL', wrongProtocolMessage(found, name));
    this.leave();
  }

  /** A request came, as far as its head. */
  begin(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    // what comes behind the last reply is for nobody
    if (this.#dead || this.lingering) return;
    this.#watchdog.headDone();
    this.#progress.begin(req);
    this.#reply = res;
    const id = this.#nextId++;
    if (id >= this.limits.maxConnectionRequests) {
      this.counts.maxConnectionRequests++;
      this.#retired = true;
    }
    if (this.#retired) res.shouldKeepAlive = false;
    try {
      this.#admit(req);
      if (this.#protocol.listener === undefined) this.#carry(id, req, res, expectsContinue);
      else {
        const request = new ListenerRequest(this, id, req, res);
        this.running.add(request);
        hookReply(res, request);
        const refusal = this.context.refusal();
        if (refusal === undefined) request.run(this.#protocol.listener, expectsContinue);
        else request.end(refusal);
      }
    } catch (error) {
      if (error instanceof RemoteProtocolError) this.#refuse(error, res);
      else this.defect(error);
    }
  }

  /** @throws RemoteProtocolError */
  #admit(req: IncomingMessage): void {
    checkMessage(req, this.limits);
    if (this.running.size < this.limits.maxConcurrentPerConnection) return;
    throw new RemoteProtocolError(
      'ERR_HTTP_REQUEST',
      `${this.running.size} requests were sent ahead of their replies (maxConcurrentPerConnection)`,
      { limit: 'maxConcurrentPerConnection' },
    );
  }

  /** @throws RemoteProtocolError */
  #carry(id: number, req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    this.#variables ??= connectionVariables(req.socket);
    const { head, ended } = httpHead(req, this.#variables, this.limits);
    const host = new HttpHost(this, req, res, expectsContinue && !ended);
    const exchange = new ServerExchange(host, { type: 'request', id, role: 'responder', head, ended });
    host.carry(exchange);
    this.running.add(exchange);
    hookReply(res, exchange);
    admit(exchange, this.context);
  }

  /** A head that cannot be accepted, although its syntax is right. */
  #refuse({ code, message, scope, statusHint, limit }: RemoteProtocolError, res: ServerResponse): void {
    if (limit !== undefined) this.counts[limit]++;
    this.#log.write('warn', 'protocol_error', code, message);
    if (scope === 'connection') {
      this.breakOff();
      return;
    }
    res.writeHead(statusHint, { Connection: 'close', 'Content-Type': 'text/plain' });
    res.end(`${statusHint}\n`);
    // node:http may have more to say of what is left
    if (this.running.size === 0) this.finish(true);
  }

  /** node:http could not read what came. */
  badRequest(error: NodeJS.ErrnoException): void {
    const code = error.code ?? error.message;
    // of the socket, or of its TLS: the client has left; a FIN in the middle of a message is no more
    const left = error.syscall !== undefined || code === 'ECONNRESET' || code === 'HPE_INVALID_EOF_STATE';
    if (left) this.#log.broken(error);
    if (left || this.#dead) this.leave();
    if (left || this.#dead || this.lingering) return;
    const message = `what came is no HTTP/1.1 request (${code})`;
    this.#log.write('warn', 'protocol_error', 'ERR_HTTP_REQUEST', message);
    const tooLong = code === 'HPE_HEADER_OVERFLOW';
    if (tooLong) this.counts.maxEnvBytes++;
    const status = tooLong ? 431 : 400;
    // the rest of a head that is too long is on its way
    if (this.running.size === 0) this.answerLast(plainReply(status), tooLong);
    else {
      const refused = new AbortError('ERR_HTTP_REQUEST', message, status, { cause: error });
      for (const run of this.running) run.end(refused);
      this.finish(true);
    }
  }

  /** The client's TLS could not be agreed on. */
  badHandshake(error: NodeJS.ErrnoException): void {
    if (this.#dead) return;
    const http = error.code === 'ERR_SSL_HTTP_REQUEST';
    const message = http ? 'HTTP on a port that speaks https' : `no TLS could be agreed on (${error.code})`;
    // a browser that does not trust the certificate is nothing to be told of
    this.#log.write(http ? 'warn' : 'info', 'protocol_error', 'ERR_WRONG_PROTOCOL', message);
    this.leave();
  }

  /** The application has taken the socket over. */
  upgraded(): void {
    this.#upgraded = true;
    if (this.#socket !== undefined) unhookSpoken(this.#socket);
  }

  /** The reply of a request is sent, or its client has left. */
  replied(run: Run | undefined): void {
    if (run === undefined || !this.running.delete(run)) return;
    this.#end(run);
    this.#watchdog.stir(this.context.now);
    if (this.running.size > 0) return;
    if (this.#retired) this.finish();
    if (this.#progress.complete) this.#progress.settle();
    else hookRequest(this.#progress.latest);
  }

  #end(run: Run): void {
    const givenUp = !run.over;
    if (givenUp) {
      this.#log.write('info', 'abort', 'ERR_ABORTED', 'the peer left', run.id);
      run.end(abortedError());
    }
    if (run instanceof ListenerRequest) run.done(givenUp);
  }

  closed(): void {
    this.#dead = true;
    for (const run of this.running) this.#end(run);
    this.running.clear();
    this.context.closed(this);
  }

  /** The body of the latest request has come. */
  bodyEnded(): void {
    if (this.running.size === 0) this.#progress.settle();
  }

  /** The last reply is sent: closes our half, and reads what is left so that the peer can read the reply. */
  finish(more = false): void {
    if (this.#dead || this.lingering) return;
    if (!more && this.#progress.complete) {
      this.#close();
      return;
    }
    this.#lingerFrom = this.#raw.bytesRead;
    this.#watchdog.linger(this.context.now);
    this.#socket?.end();
    this.#progress.latest?.resume();
  }

  #close(): void {
    Socket.prototype.destroySoon.call(this.#socket ?? this.#raw);
  }

  /** Writes a reply beside node:http's, and closes. */
  answerLast(reply: string, more?: boolean): void {
    if (this.#socket === undefined || !this.#socket.writable) this.leave();
    else {
      this.#socket.write(reply, 'latin1');
      this.finish(more);
    }
  }

  /** An error that should not be: this connection ends, the others go on. */
  defect(error: unknown): void {
    if (this.#dead) return;
    this.#log.defect(error);
    this.context.report(error, undefined);
    this.giveUp(new AbortError('ERR_INTERNAL', 'the connection was given up', 0, { cause: error }));
  }

  /** The client must not take what it has for complete. */
  breakOff(): void {
    // in HTTP/1.1 the reply itself says where it ends; before, it ended with its connection
    if (this.#progress.latest?.httpVersion !== '1.0') this.leave();
    else this.#reset();
  }

  #reset(): void {
    this.#dead = true;
    resetSocket(this.#raw, this.#raw.remoteAddress !== undefined);
  }

  leave(): void {
    this.#dead = true;
    this.#raw.destroy();
  }

  giveUp(error: AbortError): void {
    for (const run of this.running) run.end(error);
    this.#reset();
  }

  cut(error: AbortError): void {
    for (const run of this.running) run.breakOff(error);
    this.breakOff();
  }

  retire(): void {
    this.#retired = true;
    if (this.idle) this.finish();
    else if (this.#reply?.headersSent === false) this.#reply.shouldKeepAlive = false;
  }

  expired(code: ErrorCode, message: string, id?: number): void {
    this.#log.write('warn', 'timeout', code, message, id);
  }

  expireHeads(): void {
    this.answerLast(plainReply(408));
  }

  get outlet(): WatchedOutlet {
    return this;
  }

  /** node:http reads as long as requests have room. */
  get reading(): boolean {
    return true;
  }

  get idle(): boolean {
    return !this.#progress.open && !this.#progress.pending && !this.#upgraded;
  }

  get busy(): boolean {
    return !this.idle || this.unsent;
  }

  /** Bytes that have come, as of the latest tick. */
  get received(): number {
    return this.#progress.received;
  }

  get unsent(): boolean {
    return (this.#socket ?? this.#raw).writableLength > 0;
  }

  get taken(): number {
    return bytesTaken(this.#raw);
  }

  get lingering(): boolean {
    return this.#lingerFrom >= 0;
  }

  check(): void {
    if (this.#dead || this.#upgraded) return;
    const { now } = this.context;
    if (this.#progress.look(now)) {
      this.#watchdog.stir(now);
      for (const run of this.running) if (run instanceof ListenerRequest) run.heard(now);
    }
    if (this.running.size === 0) this.#progress.settle();
    this.#watchdog.settle(this.#progress.pending, now);
    this.#watchdog.check(this, now);
    if (!this.#dead) this.#checkDraining(now);
  }

  /** What is left of a body behind its reply must come, and must come to an end when the connection closes. */
  #checkDraining(now: number): void {
    const { lingerBytes, bodyIdleTimeout } = this.limits;
    const { open, received } = this.#progress;
    if (this.lingering) {
      if (received - this.#lingerFrom <= lingerBytes || this.#socket?.isPaused() !== false) return;
      this.counts.lingerBytes++;
      this.#socket.pause();
    } else if (open && this.running.size === 0 && this.#progress.silentFor(now) > bodyIdleTimeout) {
      this.counts.bodyIdleTimeout++;
      this.expired('ERR_TIMEOUT_BODY', 'the rest of a request body stalled');
      this.leave();
    }
  }
}
