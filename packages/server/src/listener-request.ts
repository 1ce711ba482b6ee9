import { type Server as HttpServer, IncomingMessage, type ServerResponse } from 'node:http';
import { type AbortError, isThenable, LocalProtocolError, reasonOf } from '@postern/core';
import type { HttpConnection } from './http-connection.ts';
import { targetAuthority } from './http-message.ts';
import type { HttpListener } from './http-protocol.ts';
import { plainReply } from './http-reply.ts';
import type { BodyPace, WatchedExchange } from './watchdog.ts';

/** A request that a `(req, res)` application answers by itself, on Node's own objects. */
export class ListenerRequest implements WatchedExchange {
  readonly id: number;
  since: number;
  bodySince: number;
  pace: BodyPace | undefined;
  /** What the application returned: if it is a promise, it works until that is settled. */
  #work: unknown;
  /** More of the body came than maxBody allows. */
  #tooLong = false;
  readonly #connection: HttpConnection;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;

  constructor(connection: HttpConnection, id: number, req: IncomingMessage, res: ServerResponse) {
    this.id = id;
    this.since = connection.context.now;
    this.bodySince = this.since;
    this.#connection = connection;
    this.#req = req;
    this.#res = res;
    connection.context.load.begin();
  }

  get over(): boolean {
    return this.#res.writableFinished || this.#res.destroyed;
  }

  /** The application reads, and all that came has been read. */
  get starved(): boolean {
    const req = this.#req;
    const reads = req.readableFlowing === true || req.listenerCount('readable') > 0;
    return reads && !req.complete && req.readableLength === 0;
  }

  /** Of all that comes on the connection: while the application waits for a body nothing else does. */
  get received(): number {
    return this.#connection.received;
  }

  get waiting(): boolean {
    return !this.#res.headersSent;
  }

  /** Bytes came on the connection. */
  heard(now: number): void {
    if (this.#req.complete) return;
    this.since = now;
    this.bodySince = now;
  }

  /**
   * What the application throws, and what its promise is rejected with, ends this request alone.
   * @param expectsContinue the client waits for 100 before it sends its body
   */
  run(listener: HttpListener, expectsContinue: boolean): void {
    const authority = targetAuthority(this.#req.url ?? '/');
    if (authority !== undefined) this.#req.headers.host = authority;
    const { maxBody } = this.#connection.limits;
    if (maxBody > 0 && !this.#boundBody(maxBody)) return;
    const event = expectsContinue && decides(listener) ? 'checkContinue' : 'request';
    try {
      if (expectsContinue && event === 'request') this.#res.writeContinue();
      this.#work = typeof listener === 'function' ? listener(this.#req, this.#res) : this.#emit(listener, event);
      if (isThenable(this.#work)) this.#work.then(undefined, (error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  #emit(server: HttpServer, event: 'request' | 'checkContinue'): void {
    if (!server.emit(event, this.#req, this.#res))
      throw new LocalProtocolError('ERR_APP_EXPORT', "nothing listens for 'request' on the server");
  }

  /** False: the body is declared too long, and has been refused. */
  #boundBody(maxBody: number): boolean {
    const req = this.#req;
    const declared = req.headers['content-length'];
    if (declared !== undefined) {
      if (Number(declared) <= maxBody) return true;
      this.#connection.counts.maxBody++;
      this.#answer(413);
      return false;
    }
    if (req.headers['transfer-encoding'] === undefined) return true;
    let bytes = 0;
    // Node's parser calls it for each piece, whatever the application does to the prototype
    req.push = (chunk, encoding) => {
      bytes += chunk?.length ?? 0;
      if (bytes <= maxBody) return IncomingMessage.prototype.push.call(req, chunk, encoding);
      if (this.over) this.#connection.finish();
      // of what has been answered the rest is thrown away; the connection ends when the reply is sent
      else if (!this.#tooLong && !this.#res.writableEnded) {
        this.#connection.counts.maxBody++;
        this.#refuse(413);
      }
      this.#tooLong = true;
      // node:http stops reading at false, and a client that still sends would never come to the answer
      return true;
    };
    return true;
  }

  #fail(error: unknown): void {
    this.#connection.context.report(error, undefined);
    if (this.#res.writableEnded) return;
    if (this.waiting) this.#answer(500);
    else this.#connection.breakOff();
  }

  /** Answers through `res`, which the application uses no more. */
  #answer(status: number): void {
    const res = this.#res;
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    const body = `${status} ${reasonOf(status)}\n`;
    const headers = { 'Content-Type': 'text/plain', 'Content-Length': body.length };
    const rest = !this.#req.complete && hasBody(this.#req);
    res.writeHead(status, reasonOf(status), rest ? { ...headers, Connection: 'close' } : headers);
    res.end(body);
  }

  /** Answers beside `res`, for the application may still use it: what it writes there is lost as if the client had left. */
  #refuse(status: number): void {
    if (this.waiting && this.#res.socket !== null) this.#connection.answerLast(plainReply(status));
    else this.#connection.breakOff();
  }

  end(error: AbortError): void {
    if (this.over) return;
    if (error.statusHint > 0) this.#refuse(error.statusHint);
    else this.#connection.breakOff();
  }

  breakOff(): void {
    this.#connection.breakOff();
  }

  /** Its reply is sent, or the client has left. */
  done(givenUp: boolean): void {
    this.#connection.context.load.over(this.#work, givenUp);
    if (this.#tooLong && !givenUp) this.#connection.finish();
  }
}

/** The application itself says whether the client is to go on. */
function decides(listener: HttpListener): boolean {
  return typeof listener !== 'function' && listener.listenerCount('checkContinue') > 0;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
