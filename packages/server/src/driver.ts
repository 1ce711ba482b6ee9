import type { Socket } from 'node:net';
import {
  AbortError,
  type ErrorCode,
  type Limits,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  type ServerConnection,
  type ServerProtocol,
} from '@postern/core';
import { attach, type SocketEvents } from './driven-socket.ts';
import type { ServerExchange } from './exchange.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { PeerLog } from './log.ts';
import { Opening } from './opening.ts';
import { Outlet } from './outlet.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { Running } from './running.ts';
import type { ServedConnection, ServerContext } from './served-connection.ts';
import { Watchdog, type Watched } from './watchdog.ts';
import { wrongProtocolPage } from './wrong-protocol.ts';

/** So many requests of one read are answered before the socket is asked whether the peer reads. */
const BURST = 16;

/** Moves bytes between one socket and one protocol connection, and events between that and the application. */
export class Driver implements ServedConnection, Watched, SocketEvents, ExchangeHost {
  readonly context: ServerContext;
  readonly limits: Limits;
  readonly protocol: ServerProtocol;
  readonly outlet: Outlet;
  readonly running: Running;
  readonly #socket: Socket;
  readonly #connection: ServerConnection;
  readonly #watchdog: Watchdog;
  readonly #opening = new Opening();
  readonly #log: PeerLog;
  #pumping = false;
  #flushing = false;
  #turnScheduled = false;
  /** What was received may have more events, although nothing came. */
  #pumpDue = false;
  /** The peer sends request after request and reads no reply: no further one begins. */
  #held = false;
  #dead = false;

  constructor(context: ServerContext, socket: Socket, protocol: ServerProtocol, peer: PeerOptions) {
    this.context = context;
    this.#socket = socket;
    this.limits = context.limits;
    this.protocol = protocol;
    this.#connection = protocol.server(context.limits, peer);
    this.outlet = new Outlet(socket, this.#connection);
    this.#watchdog = new Watchdog(context.now);
    this.#log = new PeerLog(context, protocol.name, socket);
    this.running = new Running(this, this.#log);
    attach(socket, this);
  }

  receive(chunk: Buffer, borrowed: boolean): void {
    this.#watchdog.stir(this.context.now);
    if (this.outlet.lingering) this.outlet.throwAway(chunk.length, this.limits.lingerBytes);
    else if (this.#opening.undecided) this.#wrongProtocol(this.#opening.more(chunk));
    else {
      this.#opening.receive(chunk);
      this.#connection.receive(chunk);
      this.running.borrowed = borrowed;
      this.#pump();
      if (!borrowed) return;
      this.running.borrowed = false;
      this.#connection.retain();
      this.#opening.retain();
    }
  }

  receiveEnd(): void {
    if (this.outlet.lingering) this.#socket.destroySoon();
    else if (this.#opening.undecided) this.leave();
    else {
      this.#connection.receiveEnd();
      this.#pump();
    }
  }

  drained(): void {
    this.outlet.unblock();
    this.flush();
    if (!this.#held || this.outlet.blocked) return;
    this.#held = false;
    this.#pump();
  }

  broken(error: Error): void {
    this.#dead = true;
    this.running.leave(error);
  }

  closed(): void {
    this.#dead = true;
    this.running.leave(undefined);
    this.context.closed(this);
  }

  #pump(): void {
    if (this.#pumping || this.#dead) return;
    this.#pumping = true;
    this.#pumpDue = false;
    let burst = 0;
    while (!this.#dead && !this.#held) {
      let event: RequestEvent | undefined;
      try {
        event = this.#connection.next();
      } catch (error) {
        if (this.#protocolError(error)) continue;
        break;
      }
      if (event === undefined) {
        if (this.#connection.wantsRead || !this.#makeRoom()) break;
      } else if (event.type === 'request') {
        this.#opening.made();
        this.#watchdog.headDone();
        this.running.begin(event);
        if (++burst % BURST === 0) this.#held = !this.#writeOut();
      } else if (!this.running.dispatch(event) && event.type === 'data') this.#connection.pull(event.id);
    }
    this.#pumping = false;
    const notice = this.#connection.takeNotice?.();
    if (notice !== undefined) this.#log.notice(notice);
    if (!this.#opening.undecided) this.#watchdog.settle(this.#connection.headPending, this.context.now);
    this.flush();
  }

  /** A body that is not read must not keep the others from their turn. True: it goes on, and waits elsewhere. */
  #makeRoom(): boolean {
    const { blocker = 0, sharing = 'no' } = this.#connection;
    if (sharing === 'no' || this.running.get(blocker)?.keepBody(this.context.spools) !== true) return false;
    this.#connection.pull(blocker);
    return this.#connection.blocker !== blocker;
  }

  /** True: the connection goes on. */
  #protocolError(error: unknown): boolean {
    if (!(error instanceof RemoteProtocolError)) {
      this.defect(error);
      return false;
    }
    if (error.scope === 'request') {
      this.running.refuse(error);
      return true;
    }
    const http = this.#opening.refused();
    if (http !== 'no') {
      this.#wrongProtocol(http);
      return false;
    }
    this.#log.write('warn', 'protocol_error', error.code, error.message);
    this.running.abort(
      new AbortError('ERR_ABORTED', 'the connection broke a rule of its protocol', 0, { cause: error }),
    );
    return false;
  }

  /** The first bytes are not this protocol's. */
  #wrongProtocol(http: 'yes' | 'no' | 'more'): void {
    const { name } = this.protocol;
    this.#watchdog.settle(http === 'more', this.context.now);
    if (http === 'more') return;
    if (http === 'no') {
      this.#log.write('warn', 'protocol_error', 'ERR_WRONG_PROTOCOL', `neither ${name} nor HTTP`);
      this.leave();
      return;
    }
    this.#log.write('warn', 'protocol_error', 'ERR_WRONG_PROTOCOL', `HTTP on a port that speaks ${name}`);
    this.outlet.write(wrongProtocolPage(name));
    this.#linger();
  }

  /** An error that should not be: this connection ends, the others go on. */
  defect(error: unknown): void {
    if (this.#dead) return;
    this.#log.defect(error);
    this.context.report(error, undefined);
    this.giveUp(new AbortError('ERR_INTERNAL', 'the connection was given up', 0, { cause: error }));
  }

  /** @throws LocalProtocolError the event is not allowed in this state */
  send(event: ReplyEvent): void {
    this.#connection.send(event);
  }

  queued(id: number): number {
    return this.#connection.queued(id);
  }

  awaitDrain(id: number, writer: ReplyWriter): void {
    this.outlet.awaitDrain(id, writer);
    this.flushSoon();
  }

  /** The exchange is over; events for its id are for nobody. */
  release(exchange: ServerExchange): void {
    this.running.remove(exchange);
    this.outlet.forget(exchange.id);
    // what is left of its body is thrown away
    this.#connection.pull(exchange.id);
    this.#watchdog.stir(this.context.now);
  }

  /** The reader of a body wants more. */
  pull(id: number, of?: 'filter-data'): void {
    this.#connection.pull(id, of);
    this.#pump();
  }

  /** Writes what is due; inside the read loop this is left to its end, so that replies go out together. */
  flush(): void {
    if (this.#pumping || this.#flushing || this.#dead) return;
    this.#writeOut();
    this.outlet.wakeWriters(this.limits.replyHighWater);
    const how = this.#connection.wantsClose;
    if (how === false || this.outlet.blocked || this.#opening.undecided) this.#updateReading(how);
    else if (how === 'fin') this.#linger();
    else if (!this.outlet.lingering) this.#reset();
  }

  /** Once at the end of the turn, so that a head and the body behind it are one write. */
  flushSoon(): void {
    if (this.#turnScheduled || this.#pumping || this.#dead) return;
    this.#turnScheduled = true;
    process.nextTick(endTurn, this);
  }

  endTurn(): void {
    this.#turnScheduled = false;
    if (this.#pumpDue) this.#pump();
    else this.flush();
  }

  /** False: the peer does not take it. */
  #writeOut(): boolean {
    this.#flushing = true;
    try {
      this.outlet.writeOut();
    } catch (error) {
      this.defect(error);
    }
    this.#flushing = false;
    return !this.outlet.blocked;
  }

  #updateReading(how: false | 'fin' | 'reset'): void {
    if (this.outlet.lingering || this.#dead) return;
    const open = how !== 'reset' && !this.#held && this.#connection.wantsRead;
    const wants = open || this.#opening.undecided;
    if (wants === this.reading) return;
    if (wants) {
      this.#socket.resume();
      // what was received before may be all that comes
      this.#pumpDue = true;
      this.flushSoon();
    } else this.#socket.pause();
  }

  #linger(): void {
    if (this.outlet.lingering) return;
    const { now } = this.context;
    this.outlet.linger(this.idle && this.#watchdog.isQuiet(this.limits, now));
    this.#watchdog.linger(now);
  }

  leave(): void {
    this.#dead = true;
    this.#socket.destroy();
  }

  #reset(): void {
    this.#dead = true;
    this.outlet.reset();
  }

  get idle(): boolean {
    return this.running.size === 0 && this.#connection.idle;
  }

  /** Something is lost when this connection is cut. */
  get busy(): boolean {
    return !this.idle || this.outlet.unsent;
  }

  get reading(): boolean {
    return !this.#socket.isPaused();
  }

  get blocker(): number {
    return this.#connection.blocker ?? 0;
  }

  get shared(): boolean {
    return this.#connection.sharing === 'yes';
  }

  expired(code: ErrorCode, message: string, id?: number): void {
    this.#log.write('warn', 'timeout', code, message, id);
  }

  expireHeads(): void {
    if (this.#opening.undecided) this.leave();
    else {
      this.#connection.expireHeads();
      this.flush();
    }
  }

  retire(): void {
    this.#connection.shutdown();
    this.flush();
  }

  giveUp(error: AbortError): void {
    this.running.abort(error);
    this.#reset();
  }

  /** What runs is cut, and must not look complete. */
  cut(error: AbortError): void {
    const { busy } = this;
    this.running.breakOff(error);
    this.#writeOut();
    if (busy) this.#reset();
    else this.leave();
  }

  /** The clock ticked. */
  check(): void {
    if (this.#dead) return;
    const { now } = this.context;
    // the end of a request may leave the first bytes of the next as all that is on its way
    if (!this.#opening.undecided) this.#watchdog.settle(this.#connection.headPending, now);
    // there may be room again for a body that found none
    if (!this.#connection.wantsRead) this.#pump();
    this.#watchdog.check(this, now);
  }
}

function endTurn(driver: Driver): void {
  driver.endTurn();
}
