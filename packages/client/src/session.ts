import {
  type ClientProtocol,
  ConfigError,
  type Limits,
  LocalProtocolError,
  limitsWith,
  type PosternError,
} from '@postern/core';
import { Call, sendMemory, sendRequest, variable } from './call.ts';
import { checkQuestion } from './check-question.ts';
import { connect, givenUp } from './connect.ts';
import { Habits } from './habits.ts';
import { type Answer, type Connecting, type Question, request } from './request.ts';
import type { ConnectTarget } from './target.ts';
import { Transport } from './transport.ts';

export interface SessionOptions extends Connecting {
  /**
   * Requests at once on the connection; maxConcurrentPerConnection is the most. Without it the back-end is asked before
   * the first request, and again in the course of time; 1 where it, or the protocol, does not say.
   */
  readonly atOnce?: number;
}

/** A request that waits for its turn. */
interface Waiting {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly onAbort: () => void;
}

/**
 * Asks a back-end again and again over one connection: several requests at once where the back-end takes them so, else one
 * after the other, on a kept connection where the protocol has that. The others wait. What goes wrong with one request is
 * its own affair; a connection that breaks fails all that run on it, and the next request opens a new one. Where a kept
 * connection breaks before anything of an answer came, a request that may be repeated is sent once more, on a new one. A
 * connection without requests keeps no process alive. Where requests share the connection a filter has one of its own: if it
 * does not read its file, it would stop them all.
 */
export class Session {
  readonly #protocol: ClientProtocol;
  readonly #target: ConnectTarget;
  readonly #options: SessionOptions;
  readonly #limits: Limits;
  readonly #queue: Waiting[] = [];
  readonly #habits: Habits;
  #transport: Transport | undefined;
  /** Of the connection: it stays open behind an answer, and carries so many requests at once. */
  #keeps = true;
  #places = 1;
  #opening = false;
  #closed = false;

  /** @throws ConfigError ERR_OPTION: `atOnce` */
  constructor(protocol: ClientProtocol, target: ConnectTarget, options: SessionOptions = {}) {
    this.#protocol = protocol;
    this.#target = target;
    this.#options = options;
    this.#limits = options.limits ?? limitsWith();
    const { atOnce } = options;
    if (atOnce !== undefined && (!Number.isInteger(atOnce) || atOnce < 1))
      throw new ConfigError('ERR_OPTION', `atOnce: ${atOnce} is not a whole number from 1`);
    this.#habits = new Habits(protocol, target, options, atOnce);
  }

  /**
   * @throws what `request` throws; LocalProtocolError ERR_REQUEST_STATE: the session was closed
   */
  request(question: Question): Promise<Answer> {
    const { signal } = question;
    if (this.#closed) return Promise.reject(new LocalProtocolError('ERR_REQUEST_STATE', 'the session was closed'));
    if (signal?.aborted) return Promise.reject(givenUp(signal.reason));
    try {
      checkQuestion(question);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        question,
        resolve,
        reject,
        onAbort: () => {
          this.#queue.splice(this.#queue.indexOf(waiting), 1);
          reject(givenUp(signal?.reason));
        },
      };
      this.#enqueue(waiting, false);
    });
  }

  #enqueue(waiting: Waiting, first: boolean): void {
    waiting.question.signal?.addEventListener('abort', waiting.onAbort, { once: true });
    if (first) this.#queue.unshift(waiting);
    else this.#queue.push(waiting);
    this.#advance();
  }

  /** Takes no further request. The connection closes behind those that were asked. */
  close(): void {
    this.#closed = true;
    this.#advance();
  }

  readonly #advance = (): void => {
    if (this.#transport?.kept) this.#habits.noteKept();
    while (this.#queue.length > 0 && !this.#opening) {
      const transport = this.#transport;
      if (transport === undefined || !transport.usable) {
        void this.#open();
      } else if (transport.running < this.#places && transport.connection.ready && !this.#risks(transport)) {
        this.#start(transport, this.#shift() as Waiting);
      } else if (transport.running > 0) {
        if (this.#habits.unanswered) void this.#askAgain();
        return;
      } else {
        transport.retire();
      }
    }
    if (this.#closed && !this.#opening) this.#transport?.retire();
  };

  /** The connection may be closed as the next request goes out, and that one may not be sent twice. */
  #risks({ kept, served }: Transport): boolean {
    return this.#habits.doubtful && served > 0 && !kept && !mayRepeat(this.#queue[0].question);
  }

  #shift(): Waiting | undefined {
    const waiting = this.#queue.shift();
    waiting?.question.signal?.removeEventListener('abort', waiting.onAbort);
    return waiting;
  }

  /** Never rejects: what goes wrong fails those that wait. */
  async #open(): Promise<void> {
    const { connectTimeout = 5000, options } = this.#options;
    const habits = this.#habits;
    this.#opening = true;
    if (this.#transport?.hasty) habits.noteHaste();
    this.#transport = undefined;
    try {
      const connection = this.#protocol.client(this.#limits, options);
      const atOnce = habits.atOnce ?? (await habits.learn());
      void this.#askAgain();
      const socket = await connect(this.#target, connectTimeout);
      this.#keeps = habits.keeps;
      this.#places = Math.min(atOnce, this.#limits.maxConcurrentPerConnection);
      this.#transport = new Transport(connection, socket, {
        keeps: this.#keeps,
        shares: this.#places > 1 && this.#keeps,
        awaited: () => this.#queue.length > 0,
        onChange: this.#advance,
      });
    } catch (error) {
      for (let waiting = this.#shift(); waiting !== undefined; waiting = this.#shift()) waiting.reject(error);
    }
    this.#opening = false;
    this.#advance();
  }

  /** Beside the requests, if it is time. Where the number is another one now, the next request gets a new connection. */
  async #askAgain(): Promise<void> {
    const habits = this.#habits;
    if (this.#closed || !habits.stale) return;
    const before = habits.atOnce;
    if ((await habits.learn()) === before) return;
    this.#transport?.retire();
    this.#advance();
  }

  #start(transport: Transport, waiting: Waiting): void {
    const { question, resolve, reject } = waiting;
    const { connection, freeId: id, served } = transport;
    if (question.role === 'filter' && this.#keeps && this.#places > 1) {
      request(this.#protocol, this.#target, { ...this.#options, ...question }).then(resolve, reject);
      return;
    }
    try {
      sendRequest(connection, id, question, this.#keeps);
    } catch (error) {
      reject(error);
      return;
    }
    const call = new Call(transport, id, question, this.#limits);
    call.answer.then(resolve, (error: PosternError) => {
      // the connection was closed as the request went out: it may be that nobody has seen it
      const unseen = served > 0 && !call.heard && error.code === 'ERR_REPLY';
      if (unseen && mayRepeat(question)) this.#enqueue(waiting, true);
      else reject(error);
    });
    try {
      sendMemory(connection, id, question);
      transport.flush();
    } catch (error) {
      call.fail(error as Error);
    }
  }
}

/** Idempotent (RFC 9110 §9.2.2), and all of it is still here. */
function mayRepeat({ variables, body, data, signal }: Question): boolean {
  if (signal?.aborted) return false;
  if ((body !== undefined && !(body instanceof Uint8Array)) || (data !== undefined && !(data instanceof Uint8Array)))
    return false;
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'].includes(variable(variables, 'REQUEST_METHOD'));
}
