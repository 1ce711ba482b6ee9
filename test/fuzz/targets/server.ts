import {
  LocalProtocolError,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  type RequestHead,
  reasonOf,
  type ServerConnection,
  upgradeAsked,
} from '@postern/core';
import { outputText } from '@postern/testkit';
import { checkBody, checkError, checkHead, codeOf, Held } from './checks.ts';
import { turn } from './cost.ts';
import type { Conduct, Seen, Served } from './serving.ts';
import { Broken, check } from './target.ts';

/** What stands in the memory of a chunk that was read and is used again. */
const OVERWRITTEN = 0xee;

/**
 * An application and a transport that reads while it is welcome to, and that writes what is due after each event.
 * @throws Broken
 */
export function serve(connection: ServerConnection, chunks: readonly Uint8Array[], conduct: Conduct): Served {
  const player = new Player(connection, conduct);
  for (const chunk of chunks) {
    if (!connection.wantsRead) player.makeRoom();
    const memory = Buffer.from(chunk);
    connection.receive(memory);
    player.pump();
    connection.retain();
    memory.fill(OVERWRITTEN);
    player.pullLate();
  }
  if (!connection.wantsRead) player.makeRoom();
  if (conduct.last === 'expire') connection.expireHeads();
  if (conduct.last === 'shutdown') connection.shutdown();
  player.pump();
  connection.receiveEnd();
  player.pump();
  connection.retain();
  player.pullLate();
  player.finish();
  return player;
}

class Player implements Served {
  readonly seen: Seen[] = [];
  readonly errors: string[] = [];
  output = '';
  said = 0;
  readonly #connection: ServerConnection;
  readonly #conduct: Conduct;
  readonly #open = new Map<number, Seen>();
  readonly #wanting = new Set<number>();
  readonly #wantingFile = new Set<number>();
  readonly #held: Held;
  readonly #heldFile: Held;
  #poisoned = false;

  constructor(connection: ServerConnection, conduct: Conduct) {
    this.#connection = connection;
    this.#conduct = conduct;
    this.#held = new Held(conduct.highWater);
    this.#heldFile = new Held(conduct.highWater);
  }

  get close(): ServerConnection['wantsClose'] {
    return this.#connection.wantsClose;
  }

  /** Until nothing more happens. */
  pump(): void {
    for (let more = true; more; ) {
      turn();
      try {
        const event = this.#connection.next();
        more = event !== undefined;
        check(!more || !this.#poisoned, () => `${event?.type} behind a connection error`);
        if (event !== undefined) this.#take(event);
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        this.#refuse(error);
      }
      if (this.#conduct.pulls === 'at once') this.#pull();
      this.#write();
    }
  }

  #write(): void {
    const text = outputText(this.#connection);
    check(text === '' || !this.#poisoned, 'output behind a connection error');
    this.output += text;
  }

  #refuse(error: RemoteProtocolError): void {
    const { code, scope, statusHint, id, message } = error;
    checkError(error);
    check(!this.#poisoned, `${code} behind a connection error`);
    if (scope === 'connection') {
      // answers of its own to what came before
      this.#write();
      this.#poisoned = true;
      this.errors.push(code);
      check(this.#connection.wantsClose === 'reset', `${code} and close is ${this.#connection.wantsClose}`);
      return;
    }
    const before = this.#open.get(id);
    check(before === undefined || isAnswered(before), `${code} (${message}) for id ${id}, which was asked`);
    this.errors.push(`${code} ${statusHint} ${id}`);
    this.#send({ type: 'whole', id, status: statusHint, reason: reasonOf(statusHint), headers: [], body: null });
  }

  #take(event: RequestEvent): void {
    if (event.type === 'request') {
      this.#asked(event);
      return;
    }
    const { id } = event;
    const one = this.#open.get(id);
    if (one === undefined) throw new Broken(`${event.type} for id ${id}, of which there was no request`);
    check(!one.aborted, `${event.type} behind an abort`);
    switch (event.type) {
      case 'data':
        check(one.ended === undefined, `data behind ${one.ended}`);
        check(event.chunk.length > 0, 'data without a byte');
        this.#held.add(id, event.chunk);
        one.body += Buffer.from(event.chunk).toString('latin1');
        this.#wanting.add(id);
        if (this.#conduct.answer === 'stream') this.#reply(one, { type: 'data', id, chunk: Buffer.from(event.chunk) });
        break;
      case 'end':
        check(one.ended === undefined, `end behind ${one.ended}`);
        one.ended = 'end';
        if (one.file === undefined) this.#bodyIsWhole(one);
        break;
      case 'filter-data':
        check(one.file !== undefined && one.fileEnded === undefined, `filter-data behind ${one.fileEnded}`);
        this.#heldFile.add(id, event.chunk);
        one.file += Buffer.from(event.chunk).toString('latin1');
        this.#wantingFile.add(id);
        break;
      case 'filter-end':
        check(one.file !== undefined && one.fileEnded === undefined, `filter-end behind ${one.fileEnded}`);
        one.fileEnded = 'end';
        this.#bodyIsWhole(one);
        break;
      case 'body-error':
        checkError(event.error);
        if (one.ended === undefined) one.ended = codeOf(event.error);
        else one.fileEnded = codeOf(event.error);
        this.#bodyIsWhole(one);
        break;
      case 'abort':
        checkError(event.error);
        one.aborted = true;
        one.ended ??= codeOf(event.error);
        this.#silent(one);
    }
  }

  /** Whatever an application says behind an abort, nothing of it is written. */
  #silent(one: Seen): void {
    this.#open.delete(one.id);
    this.#write();
    try {
      if (one.answer === 'none') this.#connection.send(whole(one.id));
      else this.#connection.send({ type: 'end', id: one.id });
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
    }
    const text = outputText(this.#connection);
    check(text === '', 'a reply behind an abort is written');
  }

  #asked(event: Extract<RequestEvent, { type: 'request' }>): void {
    const { id, role, head, ended } = event;
    const before = this.#open.get(id);
    check(before === undefined || isAnswered(before), `id ${id} came twice`);
    checkHead(head);
    const one: Seen = {
      id,
      role,
      line: `${head.method} ${head.target} ${head.protocol} ${head.scheme}`,
      variables: head.variables(),
      headers: head.headers(),
      contentLength: head.contentLength,
      body: '',
      ended: ended ? 'end' : undefined,
      file: role === 'filter' ? '' : undefined,
      fileEnded: undefined,
      answer: 'none',
      upgraded: false,
      aborted: false,
    };
    this.seen.push(one);
    this.#held.clear(id);
    this.#heldFile.clear(id);
    this.#open.set(id, one);
    this.#wanting.add(id);
    if (role === 'filter') this.#wantingFile.add(id);
    this.#begin(one, head);
    if (ended && role !== 'filter' && !one.upgraded) this.#bodyIsWhole(one);
  }

  #begin(one: Seen, head: RequestHead): void {
    const { id } = one;
    const named = { id, status: 200, reason: 'OK', headers: ['Content-Type', 'text/plain'] };
    switch (this.#conduct.answer) {
      case 'head':
        this.#reply(one, whole(id));
        break;
      case 'stream':
        this.#reply(one, { type: 'head', ...named });
        break;
      case 'break':
        this.#reply(one, { type: 'head', ...named });
        this.#reply(one, { type: 'data', id, chunk: 'half' });
        this.#reply(one, { type: 'abort', id });
        break;
      case 'interim':
        this.#reply(one, { type: 'interim', ...named, status: 103, reason: 'Early Hints', headers: ['Link', '</a>'] });
        break;
      case 'upgrade':
        if (!upgradeAsked(head)) break;
        try {
          this.#reply(one, { type: 'upgrade', ...named, status: 101, reason: 'Switching Protocols', headers: [] });
          one.upgraded = true;
          one.ended = undefined;
        } catch (error) {
          // AJP, and a body in front
          if (!(error instanceof LocalProtocolError)) throw error;
        }
        break;
      case 'pieces':
        this.#reply(one, { type: 'head', ...named });
        this.#reply(one, { type: 'log', id, text: 'a line\n' });
        for (const chunk of ['a', Buffer.from('b'), 'c'.repeat(300)]) this.#reply(one, { type: 'data', id, chunk });
        this.#reply(one, { type: 'flush', id });
        this.#reply(one, { type: 'end', id });
    }
  }

  /** All of the body, and of the file, has come, or no more of it does. */
  #bodyIsWhole(one: Seen): void {
    const { answer } = this.#conduct;
    if (one.answer === 'begun' || one.answer === 'tunnel') {
      if (answer === 'stream' || one.answer === 'tunnel') this.#reply(one, { type: 'end', id: one.id });
    } else if (one.answer === 'none' && answer !== 'never') this.#reply(one, whole(one.id));
  }

  #reply(one: Seen, event: ReplyEvent): void {
    this.#send(event);
    // nothing of it is written: see `#write`
    if (this.#poisoned) one.aborted = true;
    if (event.type === 'whole' || event.type === 'end') one.answer = 'whole';
    else if (event.type === 'abort') one.answer = 'broken';
    else if (event.type === 'head') one.answer = 'begun';
    else if (event.type === 'upgrade') one.answer = 'tunnel';
  }

  #send(event: ReplyEvent): void {
    this.said += 200 + ('chunk' in event ? event.chunk.length : 0);
    this.#connection.send(event);
    this.#write();
  }

  #pull(): void {
    for (const id of this.#wanting) {
      this.#connection.pull(id);
      this.#held.clear(id);
    }
    this.#wanting.clear();
    for (const id of this.#wantingFile) {
      this.#connection.pull(id, 'filter-data');
      this.#heldFile.clear(id);
    }
    this.#wantingFile.clear();
  }

  /** What waits to be pulled. */
  pullLate(): void {
    if (this.#conduct.pulls !== 'late') return;
    while (this.#wanting.size > 0 || this.#wantingFile.size > 0) {
      turn();
      this.#pull();
      this.pump();
    }
  }

  /** The connection does not want to read: the application takes what waits, or answers without it. */
  makeRoom(): void {
    for (const one of this.#open.values()) this.#end(one);
    this.pump();
    this.#pull();
    this.pump();
    check(this.#connection.wantsRead || this.close !== false, 'nothing is read although nothing waits');
  }

  #end(one: Seen): void {
    if (one.aborted) return;
    if (one.answer === 'none') this.#reply(one, whole(one.id));
    else if (one.answer === 'begun' || one.answer === 'tunnel') this.#reply(one, { type: 'end', id: one.id });
  }

  /** Everything is answered. */
  finish(): void {
    for (const one of this.#open.values()) this.#end(one);
    this.pump();
    check(this.close !== false, 'behind the FIN the connection does not close');
    check(this.#connection.idle, 'behind the FIN the connection is not idle');
    for (const one of this.seen) checkBody(one);
  }
}

function whole(id: number): ReplyEvent {
  return { type: 'whole', id, status: 200, reason: 'OK', headers: ['Content-Type', 'text/plain'], body: 'hi' };
}

function isAnswered({ answer }: Seen): boolean {
  return answer === 'whole' || answer === 'broken';
}
