import { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import {
  ConfigError,
  type Exchange,
  type Handler,
  type LimitName,
  limitsWith,
  limitTable,
  type PeerOptions,
  printable,
  type Role,
} from '@postern/core';
import { attach } from '@postern/node';
import { type BoundAddress, Server, type ServerStats, serverLimits } from '@postern/server';
import type { UwsgiOptions } from '@postern/uwsgi';
import { gatewayNames, hasSecret, refuseOpenAjp } from './address.ts';
import { checkPeer } from './address-keys.ts';
import { environmentSecret } from './ajp-secret.ts';
import type { PreparedApp } from './interface.ts';
import {
  type ListenCall,
  type ListenOptions,
  listenError,
  lookUpHost,
  readListenArguments,
  withCode,
} from './listen-arguments.ts';
import { normaliseMount } from './mount.ts';
import { checkOptionNames } from './options.ts';
import { isListened, knownProtocols, type ListenedName, protocolOf } from './protocols.ts';
import { prepareRoles } from './roles.ts';
import { endsWithin } from './serve.ts';

export interface CreateServerOptions {
  /** What FastCGI asks whether a request may pass: an `Authorizer`, or a fetch or node application that answers as one. */
  authorizer?: unknown;
  /** What FastCGI asks to work on a file: an application of any kind. */
  filter?: unknown;
  /** What the web server speaks where `listen` is given no address; without it FastCGI. `auto`: its first bytes tell. */
  protocol?: ListenedName;
  limits?: Partial<Record<LimitName, number>>;
  /** The prefix under which the application is mounted, decoded: it divides SCRIPT_NAME from PATH_INFO. */
  mount?: string;
  /** The web server in front. */
  peer?: string;
  /** What of uwsgi is served beside requests with modifier 0; without it nothing is. */
  uwsgi?: UwsgiOptions;
  /** The application's failures; without it they go to stderr. */
  onError?: (error: unknown, exchange: Exchange | undefined) => void;
}

export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void;
type Callback = (error?: Error) => void;

const optionNames = ['authorizer', 'filter', 'protocol', 'limits', 'mount', 'peer', 'uwsgi', 'onError'];

/**
 * A server with the surface of `http.Server`, for frameworks that are given one: Fastify's `serverFactory`, Express,
 * Koa, NestJS, and whoever listens to 'request'.
 * @throws ConfigError ERR_OPTION
 */
export function createServer(listener?: RequestListener): GatewayServer;
export function createServer(options: CreateServerOptions, listener?: RequestListener): GatewayServer;
export function createServer(first?: CreateServerOptions | RequestListener, second?: RequestListener): GatewayServer {
  const [options, listener] = typeof first === 'function' ? [{}, first] : [first ?? {}, second];
  const server = new GatewayServer(options);
  if (listener !== undefined) server.on('request', listener);
  return server;
}

/** Emits 'request', 'upgrade', 'listening', 'close', 'error' and 'timeout' as `http.Server` does, and has its type. */
export class GatewayServer extends EventEmitter implements HttpServer {
  /** Milliseconds of silence in a request after which 'timeout' is emitted; 0: never. */
  timeout = 0;
  /** Kept for those who set it. How long a request may take to come is bounded by the limits. */
  requestTimeout = 0;
  /** Kept for those who set it. The limit is `maxEnvCount`. */
  maxHeadersCount: number | null = null;
  readonly #options: CreateServerOptions;
  readonly #limits: Record<LimitName, number>;
  readonly #mount: string | undefined;
  readonly #handler: Handler;
  /** What answers the other roles, made ready by `listen`. */
  #beside: PreparedApp | undefined;
  /** What listens, or is about to. */
  #server: Server | undefined;
  #bound: BoundAddress | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** What has been closed and still has requests. */
  readonly #draining = new Set<Server>();
  #keepsAlive = true;

  /** @throws ConfigError ERR_OPTION */
  constructor(options: CreateServerOptions = {}) {
    super();
    checkOptionNames(options, optionNames, 'createServer');
    checkPeer(options.peer);
    if (!isListened(options.protocol ?? 'fastcgi')) throw notServed(options.protocol);
    this.#options = options;
    this.#limits = { ...serverLimits(options.limits) };
    this.#mount = normaliseMount(options.mount);
    const responder = attach(this);
    this.#handler =
      options.authorizer === undefined && options.filter === undefined
        ? responder
        : (exchange) => (exchange.role === 'responder' ? responder : (this.#beside as PreparedApp).handler)(exchange);
  }

  /**
   * Listens as `net.Server` does; without a host on 127.0.0.1. An address such as `fastcgi+unix:/run/app.sock` can be
   * given too. What cannot be bound is an 'error' event.
   * @throws Error ERR_SERVER_ALREADY_LISTEN; RangeError ERR_SOCKET_BAD_PORT; ConfigError: the address is malformed
   */
  listen(port?: number | string, host?: string, backlog?: number, callback?: () => void): this;
  listen(port?: number | string, host?: string, callback?: () => void): this;
  listen(port?: number | string, backlog?: number, callback?: () => void): this;
  listen(port?: number | string, callback?: () => void): this;
  listen(pathOrAddress: string, backlog?: number, callback?: () => void): this;
  listen(pathOrAddress: string, callback?: () => void): this;
  listen(options: ListenOptions, callback?: () => void): this;
  listen(callback: () => void): this;
  listen(...values: unknown[]): this {
    const call = readListenArguments(values);
    if (this.#server !== undefined)
      throw withCode(new Error('listen() was called twice: close() the server first'), 'ERR_SERVER_ALREADY_LISTEN');
    const { protocol } = this.#options;
    if (protocol !== undefined && call.protocol !== undefined && protocol !== call.protocol) {
      throw new ConfigError(
        'ERR_OPTION',
        `option protocol of createServer: it is ${protocol}, but the address says ${call.protocol}: leave one of them out`,
      );
    }
    if (call.callback !== undefined) this.once('listening', call.callback);
    const options = { limits: this.#limits, mount: this.#mount, onError: this.#options.onError };
    this.#server = new Server(this.#handler, options);
    this.#opening = this.#open(this.#server, call);
    return this;
  }

  async #open(server: Server, call: ListenCall): Promise<void> {
    const protocol = call.protocol ?? this.#options.protocol ?? 'fastcgi';
    const { peer: name } = this.#options;
    let { target } = call;
    let bound: BoundAddress;
    try {
      target = await lookUpHost(target);
      const secret = hasSecret(protocol) ? environmentSecret() : undefined;
      const peer: PeerOptions = { ...(name && { peer: name }), ...(secret && { secret }), ...call.peer };
      refuseOpenAjp(protocol, target, peer.secret);
      const served = await protocolOf(protocol, { uwsgi: this.#options.uwsgi, listener: this });
      server.know(await knownProtocols());
      bound = await server.listen(served, target, { ...peer, roles: await this.#roles() });
    } catch (error) {
      if (this.#server === server) this.#server = undefined;
      process.nextTick(emitOne, this, 'error', listenError(error, target));
      return;
    }
    if (this.#server !== server) return;
    this.#bound = bound;
    if (!this.#keepsAlive) server.unref();
    process.nextTick(emitOne, this, 'listening');
    if (call.signal?.aborted) this.close();
    else call.signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  async #roles(): Promise<readonly Role[] | undefined> {
    const { authorizer, filter } = this.#options;
    if (authorizer === undefined && filter === undefined) return undefined;
    this.#beside ??= await prepareRoles({ authorizer, filter });
    return ['responder', ...(this.#beside.roles ?? [])];
  }

  get listening(): boolean {
    return this.#bound !== undefined;
  }

  /** As `net.Server` has it: the path of a unix socket; null where nothing listens, and for an inherited descriptor. */
  address(): { address: string; family: 'IPv4' | 'IPv6'; port: number } | string | null {
    const bound = this.#bound;
    if (bound?.transport === 'unix') return bound.path;
    if (bound?.transport !== 'tcp') return null;
    return { address: bound.host, family: isIPv6(bound.host) ? 'IPv6' : 'IPv4', port: bound.port };
  }

  /** Stops accepting and lets what runs end, what is beside closes too, for at most the limit `grace`; then 'close'. */
  close(callback?: Callback): this {
    const server = this.#server;
    if (server === undefined) {
      if (callback !== undefined) this.once('close', () => callback(notRunning()));
      if (this.#draining.size === 0) process.nextTick(emitOne, this, 'close');
      return this;
    }
    if (callback !== undefined) this.once('close', callback);
    this.#server = undefined;
    this.#bound = undefined;
    this.#draining.add(server);
    void this.#drain(server);
    return this;
  }

  async #drain(server: Server): Promise<void> {
    await this.#opening;
    const end = performance.now() + server.limits.grace;
    try {
      await server.close();
    } catch (error) {
      server.report(error, undefined);
    }
    this.#draining.delete(server);
    const close = this.#server === undefined && this.#draining.size === 0 ? this.#beside?.close : undefined;
    if (close !== undefined) {
      this.#beside = undefined;
      await endsWithin(closeApp(close, server), Math.max(0, end - performance.now()));
    }
    process.nextTick(emitOne, this, 'close');
  }

  #each(act: (server: Server) => void): void {
    if (this.#server !== undefined) act(this.#server);
    for (const server of this.#draining) act(server);
  }

  /** Cuts every connection. */
  closeAllConnections(): void {
    this.#each((server) => server.closeAll());
  }

  /** Closes the connections on which nothing runs. */
  closeIdleConnections(): void {
    this.#each((server) => server.closeIdle());
  }

  get connections(): number {
    let count = 0;
    this.#each((server) => {
      count += server.connections;
    });
    return count;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.connections);
    return this;
  }

  /** Connections, requests, and how often each limit was hit since `listen`; undefined: it does not listen. */
  stats(): ServerStats | undefined {
    return this.#server?.stats();
  }

  ref(): this {
    this.#keepsAlive = true;
    this.#server?.ref();
    return this;
  }

  unref(): this {
    this.#keepsAlive = false;
    this.#server?.unref();
    return this;
  }

  /** @param callback is told of each request that was silent for so long; without one the request is broken off */
  setTimeout(milliseconds?: number, callback?: (socket: Socket) => void): this;
  setTimeout(callback: (socket: Socket) => void): this;
  setTimeout(first: number | ((socket: Socket) => void) = 0, second?: (socket: Socket) => void): this {
    if (typeof first === 'number') this.timeout = first;
    const callback = typeof first === 'function' ? first : second;
    if (callback !== undefined) this.on('timeout', callback);
    return this;
  }

  /** The limit of this name; 0 sets it to the highest. */
  get keepAliveTimeout(): number {
    return this.#limits.keepAliveTimeout;
  }

  set keepAliveTimeout(milliseconds: number) {
    this.#setLimit('keepAliveTimeout', milliseconds);
  }

  /** The limit of this name; 0 sets it to the highest. */
  get headersTimeout(): number {
    return this.#limits.headersTimeout;
  }

  set headersTimeout(milliseconds: number) {
    this.#setLimit('headersTimeout', milliseconds);
  }

  /** The limit `maxConnectionRequests`; 0 sets it to the highest. */
  get maxRequestsPerSocket(): number {
    return this.#limits.maxConnectionRequests;
  }

  set maxRequestsPerSocket(count: number) {
    this.#setLimit('maxConnectionRequests', count);
  }

  /** The limit of this name, for the next `listen`; 0 sets it to the highest. */
  get maxConnections(): number {
    return this.#limits.maxConnections;
  }

  set maxConnections(count: number) {
    this.#setLimit('maxConnections', count);
  }

  #setLimit(name: LimitName, value: number): void {
    const { ceiling } = limitTable[name];
    this.#limits[name] = limitsWith({ [name]: value === 0 ? ceiling : Math.min(value, ceiling) })[name];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server === undefined) return;
    await new Promise<void>((resolve) => {
      this.close(() => resolve());
    });
  }
}

async function closeApp(close: () => unknown, server: Server): Promise<void> {
  try {
    await close();
  } catch (error) {
    server.report(error, undefined);
  }
}

/** Outside of any promise, so that what a listener throws is uncaught, not unhandled. */
function emitOne(server: GatewayServer, event: string, ...values: unknown[]): void {
  server.emit(event, ...values);
}

function notServed(protocol: unknown): ConfigError {
  const todo =
    protocol === 'http' || protocol === 'https'
      ? `that of node:${protocol} serves it`
      : `choose ${[...gatewayNames, 'auto'].join(', ')}`;
  return new ConfigError(
    'ERR_OPTION',
    `option protocol of createServer: "${printable(String(protocol))}" is not served: ${todo}`,
  );
}

function notRunning(): Error {
  return withCode(new Error('the server does not run'), 'ERR_SERVER_NOT_RUNNING');
}
