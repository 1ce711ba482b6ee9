import { StringDecoder } from 'node:string_decoder';
import {
  AbortError,
  type AnswerEvent,
  type AskEvent,
  type ClientConnection,
  isBodyless,
  type Limits,
  RemoteProtocolError,
} from '@postern/core';
import { AnswerBody, type AnswerSource } from './answer-body.ts';
import { notBytes } from './check-question.ts';
import { givenUp } from './connect.ts';
import type { Answer, Question } from './request.ts';
import type { Receiver, Transport } from './transport.ts';

/** Milliseconds, as nginx has it in fastcgi_read_timeout. */
const TIMEOUT = 60_000;

type Source = AsyncIterable<Uint8Array>;

/** @throws LocalProtocolError as the protocol's `send`: nothing was begun */
export function sendRequest(connection: ClientConnection, id: number, question: Question, keep: boolean): void {
  // what is looked at is what is sent, whatever the caller's array does
  const variables = [...question.variables];
  connection.send({ type: 'request', id, role: question.role, variables, keep });
}

/** Sends the streams of a request as far as they are in memory. @throws LocalProtocolError as the protocol's `send` */
export function sendMemory(connection: ClientConnection, id: number, { role, body, data }: Question): void {
  if (body instanceof Uint8Array) connection.send({ type: 'data', id, chunk: body });
  if (body === undefined || body instanceof Uint8Array) connection.send({ type: 'end', id });
  if (role !== 'filter') return;
  if (data instanceof Uint8Array) connection.send({ type: 'filter-data', id, chunk: data });
  if (data === undefined || data instanceof Uint8Array) connection.send({ type: 'filter-end', id });
}

/** One request and its answer, from when the request was sent: until the answer is complete or given up. */
export class Call implements AnswerSource, Receiver {
  readonly answer: Promise<Answer>;
  readonly #id: number;
  readonly #transport: Transport;
  readonly #question: Question;
  readonly #limits: Limits;
  readonly #body = new AnswerBody(this);
  readonly #log = new StringDecoder('utf8');
  #resolve: (answer: Answer) => void = () => {};
  #reject: (error: Error) => void = () => {};
  /** Body bytes that may still come; Infinity: no Content-Length. */
  #left = Number.POSITIVE_INFINITY;
  /** The answer is one that has no body. */
  #bodyless = false;
  /** All of the body has come, and more; what still comes is dropped, and gives the back-end no more time. */
  #whole = false;
  /** Bytes that were dropped. */
  #dropped = 0;
  #upload: AsyncIterator<Uint8Array> | undefined;
  /** The next piece of a stream is waited for: the back-end has a reason to be silent. */
  #sourcing = false;
  /** Something of the answer has come. */
  #heard = false;
  #roomListener: (() => void) | undefined;
  /** Stream bytes that waited when it was looked at last. */
  #queued = 0;
  readonly #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** @param id of the request, which `sendRequest` has sent; the caller flushes the transport */
  constructor(transport: Transport, id: number, question: Question, limits: Limits) {
    this.#transport = transport;
    this.#id = id;
    this.#question = question;
    this.#limits = limits;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeout = TIMEOUT, signal } = question;
    if (timeout > 0) this.#timer = setTimeout(this.#onSilence, timeout);
    transport.add(id, this);
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
    void this.#sendStreams();
  }

  get heard(): boolean {
    return this.#heard;
  }

  readonly #onAbort = (): void => {
    this.fail(givenUp(this.#question.signal?.reason));
  };

  readonly #onSilence = (): void => {
    const { timeout = TIMEOUT } = this.#question;
    if (this.#whole) this.#stop();
    else if (this.#body.unread && this.#transport.crowded) {
      const message = `the answer was not read for ${timeout} ms, while others waited for its connection`;
      this.fail(new AbortError('ERR_TIMEOUT_READ', message));
    } else if (this.#body.unread || this.#sourcing) {
      this.#timer?.refresh();
    } else {
      const message = `the back-end was silent for ${timeout} ms: see that the application runs, or give it more time`;
      this.fail(new RemoteProtocolError('ERR_TIMEOUT_REPLY', message, { status: 504 }));
    }
  };

  take(event: AnswerEvent): void {
    if (this.#over) return;
    this.#heard = true;
    this.#refresh();
    switch (event.type) {
      case 'head':
        this.#head(event.status, event.reason, event.headers);
        break;
      case 'data':
        this.#data(event.chunk);
        break;
      case 'log':
        this.#say(this.#log.write(event.chunk as Buffer));
        break;
      case 'end':
        this.#complete();
    }
  }

  #head(status: number, reason: string, headers: string[]): void {
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i].toLowerCase() === 'content-length') this.#left = Number(headers[i + 1]);
    }
    if (isBodyless(variable(this.#question.variables, 'REQUEST_METHOD'), status)) {
      this.#left = 0;
      this.#bodyless = true;
    }
    this.#resolve({ status, reason, headers, body: this.#body, cancel: () => this.cancel() });
  }

  #data(chunk: Uint8Array): void {
    const allowed = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= allowed.length;
    if (allowed.length > 0) this.#body.push(allowed);
    if (allowed.length < chunk.length) this.#drop(chunk.length - allowed.length);
  }

  /** The reader has all: it need not wait for who has more to say. The end is, for what becomes of the connection. */
  #drop(bytes: number): void {
    if (!this.#whole) {
      this.#whole = true;
      if (!this.#bodyless) this.#say('the answer has more bytes than its Content-Length: the rest is dropped\n');
      this.#body.finish();
    }
    this.#dropped += bytes;
    if (this.#dropped > this.#limits.replyHighWater) this.#stop();
    else this.#transport.connection.pull(this.#id);
  }

  #say(text: string): void {
    if (text !== '') this.#question.onLog?.(text);
  }

  #complete(): void {
    if (this.#left > 0 && this.#left !== Number.POSITIVE_INFINITY) {
      this.fail(brokenOff(`the answer ended ${this.#left} bytes before its Content-Length`));
      return;
    }
    this.#say(this.#log.end());
    this.#stop();
    this.#body.finish();
  }

  /** uWSGI resets a connection of which it has not read all: the answer may be whole by its Content-Length. */
  breakOff(message: string): void {
    if (this.#over) return;
    if (this.#left === 0) this.#complete();
    else this.fail(brokenOff(message));
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#stop();
    this.#reject(error);
    this.#body.fail(error);
  }

  /** Nothing more is sent or heard. */
  #stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#question.signal?.removeEventListener('abort', this.#onAbort);
    this.#transport.remove(this.#id);
    this.#roomListener?.();
    this.#upload?.return?.().then(undefined, ignore);
  }

  /** AnswerSource: the reader of the body has taken all there was. */
  wantBody(): void {
    if (this.#over) return;
    this.#transport.connection.pull(this.#id);
    this.#transport.pump();
  }

  /** AnswerSource: the reader goes on. */
  taken(): void {
    this.#refresh();
  }

  #refresh(): void {
    if (!this.#over && !this.#whole) this.#timer?.refresh();
  }

  cancel(): void {
    this.fail(givenUp(undefined));
  }

  async #sendStreams(): Promise<void> {
    const { body, data } = this.#question;
    const id = this.#id;
    try {
      if (isSource(body)) await this.#sendStream(body, (chunk) => streamEvent(id, 'data', 'end', chunk));
      if (isSource(data)) await this.#sendStream(data, (chunk) => streamEvent(id, 'filter-data', 'filter-end', chunk));
    } catch (cause) {
      this.fail(new AbortError('ERR_ABORTED', 'the request body broke off', 0, { cause }));
    }
  }

  async #sendStream(source: Source, eventOf: (chunk: Uint8Array | undefined) => AskEvent): Promise<void> {
    const { connection } = this.#transport;
    const upload = source[Symbol.asyncIterator]();
    this.#upload = upload;
    if (this.#over) await upload.return?.();
    while (!this.#over) {
      this.#sourcing = true;
      const step = await upload.next();
      this.#sourcing = false;
      if (this.#over) return;
      if (!step.done && !(step.value instanceof Uint8Array)) {
        this.fail(notBytes('a piece of a stream', step.value));
        return;
      }
      connection.send(eventOf(step.done ? undefined : step.value));
      this.#refresh();
      this.#transport.flush();
      if (step.done) return;
      if (connection.queued(this.#id) >= this.#limits.bodyHighWater) await this.#room();
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#roomListener = resolve;
    });
  }

  /** Receiver: bytes went out. */
  moved(): void {
    const queued = this.#transport.connection.queued(this.#id);
    // a back-end that reads is not silent
    if (queued < this.#queued) this.#refresh();
    this.#queued = queued;
    if (this.#roomListener === undefined || queued >= this.#limits.bodyHighWater) return;
    this.#roomListener();
    this.#roomListener = undefined;
  }
}

function isSource(stream: Uint8Array | Source | undefined): stream is Source {
  return stream !== undefined && !(stream instanceof Uint8Array);
}

function streamEvent(
  id: number,
  data: 'data' | 'filter-data',
  end: 'end' | 'filter-end',
  chunk: Uint8Array | undefined,
): AskEvent {
  return chunk === undefined ? { type: end, id } : { type: data, id, chunk };
}

function brokenOff(message: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

export function variable(variables: readonly string[], name: string): string {
  for (let i = 0; i < variables.length; i += 2) if (variables[i] === name) return variables[i + 1];
  return '';
}

function ignore(): void {}
