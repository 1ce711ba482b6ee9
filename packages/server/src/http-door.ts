import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PeerOptions } from '@postern/core';
import { FinalResponse } from './final-response.ts';
import { httpBeginning } from './foreign-protocols.ts';
import { HttpConnection } from './http-connection.ts';
import { connectionOf } from './http-hooks.ts';
import { type HttpBeginner, HttpOpening } from './http-opening.ts';
import type { HttpProtocol } from './http-protocol.ts';
import type { Sniffer } from './opening.ts';
import type { ServerContext } from './served-connection.ts';

/** What an `http.Server` does when somebody listens for it, and not otherwise. */
const optional = ['upgrade', 'connect', 'checkExpectation', 'timeout'] as const;

/**
 * Hands accepted sockets to a server of node:http that does not listen itself. Its own clocks are off (they
 * would begin when it listens): those of `Watchdog` hold, as in every protocol.
 */
export class HttpDoor implements HttpBeginner {
  readonly #context: ServerContext;
  readonly #protocol: HttpProtocol;
  readonly #server: HttpServer;
  readonly #forwarded = new Set<string>();

  constructor(context: ServerContext, protocol: HttpProtocol, { halfCloseServes, peer }: PeerOptions) {
    this.#context = context;
    this.#protocol = protocol;
    const { maxEnvBytes, keepAliveTimeout, maxConnectionRequests } = context.limits;
    const options = {
      maxHeaderSize: maxEnvBytes,
      headersTimeout: 0,
      requestTimeout: 0,
      // tells clients when not to use a kept connection any more
      keepAliveTimeout,
      ...(peer === 'nginx' ? { ServerResponse: FinalResponse } : {}),
    };
    const { tls } = protocol;
    this.#server =
      tls === undefined
        ? createServer(options)
        : // not loaded before it is wanted: TLS takes a tenth of all that Node starts with
          process
            .getBuiltinModule('node:https')
            .createServer({ ...options, cert: tls.cert, key: tls.key, ALPNProtocols: ['http/1.1'] });
    this.#server.maxRequestsPerSocket = maxConnectionRequests;
    // one field too many is refused, where node:http would leave it out without a word
    this.#server.maxHeadersCount = 0;
    if (halfCloseServes === true) (this.#server as { httpAllowHalfOpen?: boolean }).httpAllowHalfOpen = true;
    this.#listen();
  }

  /** What the server knows may grow. */
  get sniffers(): readonly Sniffer[] {
    return [httpBeginning, ...this.#context.sniffers];
  }

  #listen(): void {
    const server = this.#server;
    server.on('request', begin);
    server.on('checkContinue', beginExpecting);
    server.on('clientError', (error, socket) => connectionOf(socket)?.badRequest(error));
    if (this.#protocol.tls === undefined) return;
    server.on('secureConnection', (secure: WrappedSocket) => connectionOf(secure._parent)?.speakOn(secure));
    server.on('tlsClientError', (error: Error, secure: WrappedSocket) =>
      connectionOf(secure._parent)?.badHandshake(error),
    );
  }

  accept(socket: Socket): HttpConnection {
    const connection = new HttpConnection(this.#context, this.#protocol, socket);
    if (this.#protocol.tls === undefined) new HttpOpening(this, socket, connection);
    else {
      this.#forwardEvents();
      // a client that leaves within its handshake would not be noticed otherwise
      socket.allowHalfOpen = false;
      this.#server.emit('connection', socket);
    }
    return connection;
  }

  /**
   * A connection that is known to be HTTP; `begin` follows.
   * @param since when its first bytes came
   */
  open(socket: Socket, since: number): HttpConnection {
    const connection = new HttpConnection(this.#context, this.#protocol, socket);
    connection.began(since);
    return connection;
  }

  /** Hands a socket to node:http, with what was received of it: that is read in this turn, before anything that follows. */
  begin(socket: Socket, bytes: Buffer): void {
    this.#forwardEvents();
    this.#server.emit('connection', socket);
    socket.unshift(bytes);
    if (socket.isPaused()) process.nextTick(stopReading, socket);
  }

  /** The application's own server may listen for more than requests; it may begin to at any time. */
  #forwardEvents(): void {
    const { listener } = this.#protocol;
    if (listener === undefined || typeof listener === 'function') return;
    this.#server.timeout = listener.timeout;
    for (const event of optional) {
      if (this.#forwarded.has(event) || listener.listenerCount(event) === 0) continue;
      this.#forwarded.add(event);
      this.#server.on(event, (req: IncomingMessage, ...more: unknown[]) => {
        if (event === 'upgrade' || event === 'connect') connectionOf(req.socket)?.upgraded();
        listener.emit(event, req, ...more);
      });
    }
  }
}

/** The TLS inside of an accepted socket. */
type WrappedSocket = Socket & { readonly _parent?: Socket };

function begin(req: IncomingMessage, res: ServerResponse): void {
  connectionOf(req.socket)?.begin(req, res, false);
}

/** The client waits to be told before it sends its body. */
function beginExpecting(req: IncomingMessage, res: ServerResponse): void {
  connectionOf(req.socket)?.begin(req, res, true);
}

/**
 * The stream asks for more behind what it has given out, also where that has filled a body which waits. node:http stops
 * reading at this event, and the next `pause` would not emit it again.
 */
function stopReading(socket: Socket): void {
  if (socket.isPaused()) socket.emit('pause');
}
