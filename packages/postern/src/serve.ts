import { ConfigError, type Exchange, type LimitName, type Limits, limitTable, type PeerOptions } from '@postern/core';
import { readTlsFiles, Server, type ServerStats, type ServerTls, serverLimits } from '@postern/server';
import type { UwsgiOptions } from '@postern/uwsgi';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { checkPeer } from './address-keys.ts';
import { checkInterface, type Interface, type PreparedApp } from './interface.ts';
import { normaliseMount } from './mount.ts';
import { checkOptionNames } from './options.ts';
import { knownProtocols, protocolOf } from './protocols.ts';
import { prepareRoles, refuseWithoutResponder } from './roles.ts';

export interface ServeOptions {
  /** Addresses such as `fastcgi://127.0.0.1:9000`, `auto+unix:/run/app.sock?mode=0660` or `fastcgi+systemd:app`. */
  listen: string | readonly string[];
  /** The kind of the application, and of what is beside it; without it, it is found out. */
  interface?: Interface;
  /** What FastCGI asks whether a request may pass: an `Authorizer`, or a fetch or node application that answers as one. */
  authorizer?: unknown;
  /** What FastCGI asks to work on a file: an application of any kind. */
  filter?: unknown;
  limits?: Partial<Record<LimitName, number>>;
  /** The prefix under which the application is mounted, decoded: it divides SCRIPT_NAME from PATH_INFO. */
  mount?: string;
  /** The web server in front, for the addresses that do not name it. */
  peer?: string;
  /** What of uwsgi is served beside requests with modifier 0; without it nothing is. */
  uwsgi?: UwsgiOptions;
  /** The application's failures; without it they go to stderr. */
  onError?: (error: unknown, exchange: Exchange | undefined) => void;
  /** Closes when it is aborted. */
  signal?: AbortSignal;
}

/** An application that is being served. Its functions may be taken off it: `const { close } = await serve(…)`. */
export interface Served {
  /** Where it listens: the port that the system chose, for instance. */
  readonly addresses: string[];
  /** Connections, requests, and how often each limit was hit. */
  stats(): ServerStats;
  /**
   * Stops accepting, finishes what runs, then closes an application that has a `close` of its own.
   * @param grace milliseconds; after that what runs is cut. Without it the limit `grace`
   * @returns false: the grace ran out
   */
  close(grace?: number): Promise<boolean>;
}

/** An address with what its keys name. */
export interface PlannedAddress extends Pick<Address, 'protocol' | 'target' | 'peer'> {
  readonly tls: ServerTls | undefined;
}

/** The options of `serve`, checked. */
export interface ServePlan {
  readonly addresses: readonly PlannedAddress[];
  readonly peer: PeerOptions;
  readonly limits: Limits;
  readonly mount: string | undefined;
  readonly uwsgi: UwsgiOptions | undefined;
  readonly onError: ServeOptions['onError'];
  readonly signal: AbortSignal | undefined;
}

const optionNames = [
  ...['listen', 'interface', 'authorizer', 'filter', 'limits', 'mount', 'peer', 'uwsgi', 'onError', 'signal'],
];

/**
 * Serves an application on one or several addresses; undefined: an authorizer or filter alone. Installs no signal handlers and never ends the process.
 * @throws ConfigError: what is wrong, where, and what to do; nothing is left behind. The reason of `signal`, if that came
 *   first
 */
export async function serve(app: unknown, options: ServeOptions): Promise<Served> {
  const plan = planServing(options);
  plan.signal?.throwIfAborted();
  const { authorizer, filter } = options;
  return startServing(await prepareRoles({ app, authorizer, filter }, options.interface), plan);
}

/** @throws ConfigError */
export function planServing(options: ServeOptions): ServePlan {
  checkOptionNames(options, optionNames, 'serve');
  checkInterface(options.interface);
  checkPeer(options.peer);
  const texts = typeof options.listen === 'string' ? [options.listen] : [...(options.listen ?? [])];
  if (texts.length === 0) throw new ConfigError('ERR_OPTION', 'option listen of serve: it is empty: give an address');
  return {
    addresses: texts.map(planAddress),
    peer: options.peer === undefined ? {} : { peer: options.peer },
    limits: serverLimits(options.limits),
    mount: normaliseMount(options.mount),
    uwsgi: options.uwsgi,
    onError: options.onError,
    signal: options.signal,
  };
}

/** @throws ConfigError */
function planAddress(text: string): PlannedAddress {
  const { protocol, target, peer, tls } = parseAddress(text, 'listen');
  return { protocol, target, peer, tls: tls && readTlsFiles(tls) };
}

/** @throws as `serve` */
export async function startServing(app: PreparedApp, plan: ServePlan): Promise<Served> {
  const { limits, mount, onError, signal } = plan;
  const { roles } = app;
  for (const { protocol } of plan.addresses) refuseWithoutResponder(app, protocol);
  const server = new Server(app.handler, { limits, mount, onError });
  const serving = new Serving(server, app, signal);
  try {
    for (const { protocol: name, target, peer, tls } of plan.addresses) {
      signal?.throwIfAborted();
      const protocol = await protocolOf(name, { uwsgi: plan.uwsgi, tls, listener: app.listener });
      const bound = await server.listen(protocol, target, { ...plan.peer, ...peer, roles });
      serving.addresses.push(formatAddress(name, bound));
    }
    server.know(await knownProtocols());
    signal?.throwIfAborted();
  } catch (error) {
    await serving.close(0);
    throw error;
  }
  serving.obey();
  return serving;
}

class Serving implements Served {
  readonly addresses: string[] = [];
  readonly #server: Server;
  readonly #app: PreparedApp;
  readonly #signal: AbortSignal | undefined;
  #closing: Promise<boolean> | undefined;

  constructor(server: Server, app: PreparedApp, signal: AbortSignal | undefined) {
    this.#server = server;
    this.#app = app;
    this.#signal = signal;
  }

  /** From now on the signal closes. */
  obey(): void {
    this.#signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  readonly #aborted = (): void => {
    this.close().catch((error) => this.#server.report(error, undefined));
  };

  readonly stats = (): ServerStats => this.#server.stats();

  readonly close = (grace: number = this.#server.limits.grace): Promise<boolean> => {
    if (!(grace >= 0 && grace <= limitTable.grace.ceiling)) {
      const message = `grace ${String(grace)}: write milliseconds from 0 to ${limitTable.grace.ceiling}`;
      return Promise.reject(new ConfigError('ERR_OPTION', message));
    }
    if (this.#closing === undefined) this.#closing = this.#close(grace);
    else this.#hurry(grace);
    return this.#closing;
  };

  async #close(grace: number): Promise<boolean> {
    const end = performance.now() + grace;
    this.#signal?.removeEventListener('abort', this.#aborted);
    const complete = await this.#server.close(grace);
    if (this.#app.close === undefined) return complete;
    const closed = await endsWithin(this.#closeApp(), Math.max(0, end - performance.now()));
    return complete && closed;
  }

  async #closeApp(): Promise<void> {
    try {
      await this.#app.close?.();
    } catch (error) {
      this.#server.report(error, undefined);
    }
  }

  /** Closing has begun; who calls again may have less patience. */
  #hurry(grace: number): void {
    const timer = setTimeout(() => this.#server.closeAll(), grace);
    const stop = (): void => clearTimeout(timer);
    this.#closing?.then(stop, stop);
  }
}

/** Waits for some work, at most so long. False: it was not done by then. */
export async function endsWithin(work: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  const inTime = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
