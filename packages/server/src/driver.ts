import {
  AbortError,
  type ErrorCode,
  type Limits,
  type Notice,
  type PeerOptions,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  type ServerConnection,
  type ServerProtocol,
} from '@postern/core';
import { attach, type SocketEvents } from './driven-socket.ts';
import { atEndOfTurn } from './end-of-turn.ts';
import type { ServerExchange } from './exchange.ts';
import type { ExchangeHost, Waiter } from './exchange-host.ts';
import type { FramedSocket } from './light-socket.ts';
import { PeerLog } from './log.ts';
import { Opening, type Sniffer } from './opening.ts';
import { Outlet } from './outlet.ts';
import { Running } from './running.ts';
import type { ServedConnection, ServerContext } from './served-connection.ts';
import { Watchdog, type Watched } from './watchdog.ts';
import { answerWrongProtocol } from './wrong-protocol.ts';

/** So many requests of one read are answered before the socket is asked whether the peer reads. */
const BURST = 16;

/** Moves bytes between one socket and one protocol connection, and events between that and the application. */
export class Driver implements ServedConnection, Watched, SocketEvents, ExchangeHost {
  place = -1;
  readonly context: ServerContext;
  readonly limits: Limits;
  readonly counts: ServerContext['counts'];
  readonly protocol: ServerProtocol;
  readonly peer: string | undefined;
  readonly outlet: Outlet;
  readonly running: Running;
  readonly #socket: FramedSocket;
  readonly #connection: ServerConnection;
  readonly #watchdog: Watchdog;
  readonly #log: PeerLog;
  /** Until it is known whose the first bytes are. */
  #opening: Opening | undefined;
  #pumping = false;
  #flushing = false;
  #turnScheduled = false;
  /** What was received may have more events, although nothing came. */
  #pumpDue = false;
  /** The peer sends request after request and reads no reply: no further one begins. */
  #held = false;
  #dead = false;

  /** @param since when the first bytes came, of which it is known that they are this protocol's; -1: none have come */
  constructor(context: ServerContext, socket: FramedSocket, protocol: ServerProtocol, peer: PeerOptions, since = -1) {
    this.context = context;
    this.#socket = socket;
    this.limits = context.limits;
    this.counts = context.counts;
    this.protocol = protocol;
    this.peer = peer.peer;
    this.#connection = protocol.server(context.limits, peer, context.counts);
    this.outlet = new Outlet(socket, this.#connection);
    this.#watchdog = new Watchdog(context.now);
    this.#log = new PeerLog(context, protocol.name, socket);
    this.running = new Running(this, this.#log);
    this.#opening = since < 0 ? new Opening(context.sniffers) : undefined;
    this.#watchdog.settle(since >= 0, since);
    attach(socket, this);
  }

  receive(chunk: Buffer, lent: boolean): boolean {
    this.#watchdog.stir(this.context.now);
    if (this.outlet.lingering) this.outlet.throwAway(chunk.length, this);
    else if (this.#opening === undefined || this.#begin(this.#opening, chunk)) return this.#take(chunk, lent);
    return false;
  }

  #take(chunk: Buffer, lent: boolean): boolean {
    this.#connection.receive(chunk);
    this.running.readBegin(chunk.buffer, lent);
    this.#pump();
    const long = this.running.readEnd();
    // what is left of it is copied, unless the memory is kept anyway
    if (lent || !long) this.#connection.retain();
    return long;
  }

  /** The first bytes: whether they are read here. No other protocol begins as this one does, so one look is enough. */
  #begin(opening: Opening, chunk: Buffer): boolean {
    const own = opening.held === undefined && this.protocol.sniff(chunk) !== 'no';
    const found = own ? undefined : opening.look(chunk);
    if (found === undefined) this.#takeHeld();
    else if (found === 'more') this.#watchdog.settle(true, this.context.now);
    else this.#wrongProtocol(found);
    return found === undefined;
  }

  /** What came is this protocol's, or nobody's: then it is refused in the way of this protocol. */
  #takeHeld(): void {
    const held = this.#opening?.held;
    this.#opening = undefined;
    if (held !== undefined) this.#take(held, false);
  }

  /** Also where it is not known yet whose the first bytes are. */
  get #headPending(): boolean {
    return this.#opening?.held !== undefined || this.#connection.headPending;
  }

  receiveEnd(): void {
    if (this.outlet.lingering) this.#socket.destroySoon();
    else {
      this.#takeHeld();
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
        if (!(error instanceof RemoteProtocolError)) this.defect(error);
        else if (this.running.brokeRule(error)) continue;
        break;
      }
      if (event === undefined) {
        if (this.#connection.wantsRead || !this.running.makeRoom(this.#connection)) break;
      } else if (event.type === 'request') {
        this.#watchdog.headDone();
        this.running.begin(event);
        if (++burst % BURST === 0) this.#held = !this.#writeOut();
      } else if (!this.running.dispatch(event) && event.type === 'data') this.#connection.pull(event.id);
    }
    this.#pumping = false;
    const notice = this.#connection.takeNotice?.();
    if (notice !== undefined) this.#log.notice(notice);
    this.#watchdog.settle(this.#headPending, this.context.now);
    this.flush();
  }

  #wrongProtocol({ name }: Sniffer): void {
    this.#opening = undefined;
    this.#watchdog.settle(false, this.context.now);
    if (answerWrongProtocol(name, this.protocol.name, this.outlet, this.#log)) this.#linger();
    else this.leave();
  }

  notice(notice: Notice): void {
    this.#log.notice(notice);
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

  awaitDrain(id: number, waiter: Waiter): void {
    this.outlet.awaitDrain(id, waiter);
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
    if (how === 'half') this.outlet.endHalf();
    if (how === false || how === 'half' || this.outlet.blocked) this.#updateReading(how);
    else if (how === 'fin') this.#linger();
    else if (!this.outlet.lingering) this.#reset();
  }

  /** Once at the end of the turn, so that a head and the body behind it are one write. */
  flushSoon(): void {
    if (this.#turnScheduled || this.#pumping || this.#dead) return;
    this.#turnScheduled = true;
    atEndOfTurn(this);
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

  #updateReading(how: ServerConnection['wantsClose']): void {
    if (this.outlet.lingering || this.#dead) return;
    const wants = how !== 'reset' && !this.#held && this.#connection.wantsRead;
    // again although it is paused: behind the first bytes on an `auto` address the stream begins to read once more by itself
    if (!wants) {
      // a body that waits has an id, or its connection carries one alone
      const body = !this.#held && this.#connection.blocker !== 0;
      if (this.reading) this.counts[body ? 'bodyHighWater' : 'replyHighWater']++;
      this.#socket.pause();
    } else if (!this.reading) {
      this.#socket.resume();
      // what was received before may be all that comes
      this.#pumpDue = true;
      this.flushSoon();
    }
  }

  #linger(): void {
    if (this.outlet.lingering) return;
    const quiet = this.idle && this.#watchdog.isQuiet(this.limits, this.context.now);
    this.outlet.linger(quiet || this.#connection.allReceived === true);
    this.#watchdog.linger(this.context.now);
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
    if (this.#opening?.held !== undefined) this.leave();
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
    this.#watchdog.settle(this.#headPending, now);
    // there may be room again for a body that found none
    if (!this.#connection.wantsRead) this.#pump();
    if (this.#watchdog.periodEnds(now)) this.#connection.renewBudgets?.();
    this.#watchdog.check(this, now);
  }
}
