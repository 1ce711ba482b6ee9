import { type AnswerEvent, type AskEvent, type ClientConnection, RemoteProtocolError } from '@postern/core';
import { outputText } from '@postern/testkit';
import { checkError, Held } from './checks.ts';
import { turn } from './cost.ts';
import { Broken, check } from './target.ts';

/** What a client asks, one behind the other: the next when the connection takes it, or `together` at once. */
export interface Asking {
  readonly ask: readonly AskEvent[];
  /** The body of the request, in one piece; it is complete with it. */
  readonly body?: Uint8Array;
}

export interface ClientConduct {
  readonly askings: readonly Asking[];
  /** All are asked at the beginning, as far as the connection takes them. */
  readonly together: boolean;
  readonly pulls: 'at once' | 'never';
  /** More of a reply may come as long as its reader holds less than this, without having asked for it. */
  readonly highWater: number;
  /** The first request is given up behind its head. */
  readonly aborts: boolean;
}

/** What was heard of one id. */
export interface Heard {
  readonly id: number;
  /** How many chunks had come when it was asked. */
  readonly at: number;
  head: string | undefined;
  body: string;
  /** Bytes of the log. */
  logged: number;
  /** What the end says, or the code of the error. */
  over: string | undefined;
}

export interface Asked {
  readonly heard: Heard[];
  /** What broke the connection. */
  error: string | undefined;
  /** Bytes as latin-1. */
  readonly output: string;
  readonly close: ClientConnection['wantsClose'];
  readonly ready: boolean;
}

/**
 * A user and a transport, which writes what is due after each event, and reads while it is welcome to.
 * @throws Broken
 */
export function ask(connection: ClientConnection, chunks: readonly Uint8Array[], conduct: ClientConduct): Asked {
  const user = new User(connection, conduct);
  user.askMore();
  for (const chunk of chunks) {
    if (!connection.wantsRead) user.makeRoom();
    connection.receive(Buffer.from(chunk));
    user.chunks++;
    user.pump();
  }
  if (!connection.wantsRead) user.makeRoom();
  connection.receiveEnd();
  user.pump();
  user.makeRoom();
  user.finish();
  return user;
}

class User implements Asked {
  readonly heard: Heard[] = [];
  error: string | undefined;
  output = '';
  chunks = 0;
  readonly #connection: ClientConnection;
  readonly #conduct: ClientConduct;
  readonly #left: Asking[];
  readonly #open = new Map<number, Heard>();
  readonly #aborted = new Set<number>();
  #gaveUp = false;
  readonly #held: Held;
  readonly #wanting = new Set<number>();

  constructor(connection: ClientConnection, conduct: ClientConduct) {
    this.#connection = connection;
    this.#conduct = conduct;
    this.#held = new Held(conduct.highWater);
    this.#left = [...conduct.askings];
  }

  get close(): ClientConnection['wantsClose'] {
    return this.#connection.wantsClose;
  }

  get ready(): boolean {
    return this.#connection.ready;
  }

  askMore(): void {
    while (this.#mayAsk()) {
      const { ask: events, body } = this.#left.shift() as Asking;
      for (const event of events) {
        this.#connection.send(event);
        const { id } = event;
        if (!this.#open.has(id)) this.#begin(id);
        if (event.type !== 'request') continue;
        if (body !== undefined) this.#connection.send({ type: 'data', id, chunk: body });
        this.#connection.send({ type: 'end', id });
      }
      this.#write();
    }
  }

  #mayAsk(): boolean {
    if (!this.#connection.ready || this.#left.length === 0) return false;
    if (this.#open.size === 0) return true;
    const [first] = this.#left[0].ask;
    return this.#conduct.together && !this.#open.has(first.id) && (first.type !== 'request' || first.keep);
  }

  #begin(id: number): void {
    const one: Heard = { id, at: this.chunks, head: undefined, body: '', logged: 0, over: undefined };
    this.heard.push(one);
    this.#open.set(id, one);
    this.#aborted.delete(id);
    this.#held.clear(id);
  }

  #write(): void {
    const text = outputText(this.#connection);
    check(text === '' || this.error === undefined, 'output behind a connection error');
    this.output += text;
  }

  pump(): void {
    for (let more = true; more; ) {
      turn();
      try {
        const event = this.#connection.next();
        more = event !== undefined;
        check(!more || this.error === undefined, () => `${event?.type} behind ${this.error}`);
        if (event !== undefined) this.#take(event);
      } catch (error) {
        if (!(error instanceof RemoteProtocolError)) throw error;
        this.#fail(error);
      }
      if (this.#conduct.pulls === 'at once') this.#pull();
      this.#write();
      if (this.error === undefined) this.askMore();
    }
  }

  #fail(error: RemoteProtocolError): void {
    const { code, scope, statusHint, id } = error;
    checkError(error);
    check(statusHint >= 500, `${code} with status ${statusHint}`);
    check(this.error === undefined, () => `${code} behind ${this.error}`);
    if (scope === 'request') {
      const one = this.#open.get(id) ?? this.heard.findLast((heard) => heard.id === id);
      if (one === undefined) throw new Broken(`${code} for id ${id}, of which nothing was asked`);
      check(!one.over?.startsWith('ERR_'), `${code} behind ${one.over}`);
      one.over = code;
      return;
    }
    this.error = `${code} ${statusHint}`;
    check(this.close === 'reset', `${code} and close is ${this.close}`);
  }

  #take(event: AnswerEvent): void {
    const { id } = event;
    const one = this.#open.get(id);
    if (one === undefined) throw new Broken(`${event.type} for id ${id}, of which nothing was asked`);
    if (event.type !== 'end' && event.type !== 'log') check(one.over === undefined, `${event.type} behind ${one.over}`);
    switch (event.type) {
      case 'head':
        check(one.head === undefined, 'a second head');
        check(!this.#aborted.has(id), 'a head behind an abort');
        checkReplyHead(event);
        one.head = JSON.stringify([event.status, event.reason, event.headers]);
        if (this.#conduct.aborts && !this.#gaveUp) {
          this.#gaveUp = true;
          this.#aborted.add(id);
          this.#connection.send({ type: 'abort', id });
          if (this.close === 'reset') this.#open.delete(id);
        }
        break;
      case 'data':
        check(one.head !== undefined, 'a body without its head');
        check(event.chunk.length > 0, 'data without a byte');
        this.#held.add(id, event.chunk);
        one.body += Buffer.from(event.chunk).toString('latin1');
        this.#wanting.add(id);
        break;
      case 'log':
        one.logged += event.chunk.length;
        this.#wanting.add(id);
        break;
      case 'end':
        one.over ??= `end ${event.reuse}`;
        this.#open.delete(id);
        check(!event.reuse || this.#connection.ready, 'a connection that can be used again is not ready');
        break;
      case 'pong':
        one.over = 'pong';
        this.#open.delete(id);
        break;
      case 'values':
        one.over = JSON.stringify([event.values, event.atOnce]);
        this.#open.delete(id);
    }
  }

  #pull(): void {
    for (const id of this.#wanting) {
      this.#connection.pull(id);
      this.#held.clear(id);
    }
    this.#wanting.clear();
  }

  /** What waits is read. */
  makeRoom(): void {
    do {
      turn();
      this.#pull();
      this.pump();
    } while (this.#wanting.size > 0);
    check(this.#connection.wantsRead || this.close !== false, 'nothing is read although nothing waits');
  }

  finish(): void {
    check(!this.#connection.ready, 'behind the FIN the connection is ready');
    check(this.close !== false || this.#open.size === 0, 'behind the FIN the connection does not close');
    check(this.error !== undefined || this.#open.size === 0 || this.#aborted.size > 0, 'an answer has no end');
  }
}

function checkReplyHead({ status, reason, headers }: Extract<AnswerEvent, { type: 'head' }>): void {
  check(Number.isInteger(status) && status >= 200 && status <= 999, `status ${status}`);
  check(/^[\t\x20-\x7e\x80-\xff]*$/.test(reason), () => `reason "${reason}"`);
  check(headers.length % 2 === 0, 'headers are no pairs');
  for (let i = 0; i < headers.length; i += 2) {
    check(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(headers[i]), () => `header name "${headers[i]}"`);
    check(/^[\t\x20-\x7e\x80-\xff]*$/.test(headers[i + 1]), () => `header value "${headers[i + 1]}"`);
    check(!/^transfer-encoding$/i.test(headers[i]), 'Transfer-Encoding in a reply');
  }
}
