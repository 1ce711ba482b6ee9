import {
  type ClientProtocol,
  ConfigError,
  type Limits,
  LocalProtocolError,
  limitsWith,
  type PosternError,
} from '@postern/core';
import { Call, sendMemory, sendRequest, variable } from './call.ts';
import { connect, givenUp } from './connect.ts';
import type { Answer, Connecting, Question } from './request.ts';
import type { ConnectTarget } from './target.ts';
import { Transport } from './transport.ts';
import { getValues } from './values.ts';

/** Milliseconds: libfcgi, which many applications are made with, does not answer. */
const VALUES_PATIENCE = 1000;

export interface SessionOptions extends Connecting {
  /**
   * Requests at once on the connection; maxConcurrentPerConnection is the most. Without it the back-end is asked before
   * the first request; 1 where it, or the protocol, does not say.
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
 * connection without requests keeps no process alive.
 */
export class Session {
  readonly #protocol: ClientProtocol;
  readonly #target: ConnectTarget;
  readonly #options: SessionOptions;
  readonly #limits: Limits;
  readonly #queue: Waiting[] = [];
  /** Undefined: not known yet. */
  #atOnce: number | undefined;
  #keeps = true;
  #transport: Transport | undefined;
  #opening = false;
  #closed = false;

  /** @throws ConfigError ERR_OPTION: `atOnce` */
  constructor(protocol: ClientProtocol, target: ConnectTarget, options: SessionOptions = {}) {
    this.#protocol = protocol;
    this.#target = target;
    this.#options = options;
    this.#limits = options.limits ?? limitsWith();
    const { atOnce } = options;
    if (atOnce === undefined) return;
    if (!Number.isInteger(atOnce) || atOnce < 1)
      throw new ConfigError('ERR_OPTION', `atOnce: ${atOnce} is not a whole number from 1`);
    this.#atOnce = this.#bounded(atOnce);
  }

  #bounded(atOnce: number): number {
    return Math.min(atOnce, this.#limits.maxConcurrentPerConnection);
  }

  /**
   * @throws what `request` throws; LocalProtocolError ERR_REQUEST_STATE: the session was closed
   */
  request(question: Question): Promise<Answer> {
    const { signal } = question;
    if (this.#closed) return Promise.reject(new LocalProtocolError('ERR_REQUEST_STATE', 'the session was closed'));
    if (signal?.aborted) return Promise.reject(givenUp(signal.reason));
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
    if (this.#transport?.hasty) this.#keeps = false;
    while (this.#queue.length > 0 && !this.#opening) {
      const transport = this.#transport;
      if (transport === undefined || !transport.usable) {
        void this.#open();
      } else if (transport.running < (this.#atOnce as number) && transport.connection.ready) {
        this.#start(transport, this.#shift() as Waiting);
      } else if (transport.running > 0) {
        return;
      } else {
        transport.retire();
      }
    }
    if (this.#closed && !this.#opening) this.#transport?.retire();
  };

  #shift(): Waiting | undefined {
    const waiting = this.#queue.shift();
    waiting?.question.signal?.removeEventListener('abort', waiting.onAbort);
    return waiting;
  }

  /** Never rejects: what goes wrong fails those that wait. */
  async #open(): Promise<void> {
    const { connectTimeout = 5000, options } = this.#options;
    this.#opening = true;
    try {
      const atOnce = this.#atOnce ?? this.#bounded(await this.#learn());
      const connection = this.#protocol.client(this.#limits, options);
      const socket = await connect(this.#target, connectTimeout);
      this.#atOnce = atOnce;
      const how = { keeps: this.#keeps, shares: atOnce > 1 && this.#keeps, onChange: this.#advance };
      this.#transport = new Transport(connection, socket, how);
    } catch (error) {
      for (let waiting = this.#shift(); waiting !== undefined; waiting = this.#shift()) waiting.reject(error);
    }
    this.#opening = false;
    this.#advance();
  }

  /** Who cannot be asked, or does not answer, is asked one thing at a time. */
  async #learn(): Promise<number> {
    const { connectTimeout, options } = this.#options;
    try {
      const how = { timeout: VALUES_PATIENCE, connectTimeout, options };
      return (await getValues(this.#protocol, this.#target, how)).atOnce;
    } catch {
      return 1;
    }
  }

  #start(transport: Transport, waiting: Waiting): void {
    const { question, resolve, reject } = waiting;
    const { connection, freeId: id, served } = transport;
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
