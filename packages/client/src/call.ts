import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import {
  AbortError,
  type AnswerEvent,
  type ClientConnection,
  isBodyless,
  type Limits,
  type Output,
  RemoteProtocolError,
} from '@postern/core';
import { AnswerBody, type AnswerSource } from './answer-body.ts';
import { givenUp } from './connect.ts';
import type { Answer, Ask } from './request.ts';

/** How much is taken out of a connection for one write. */
const BUDGET = 131_072;

/** One request and its answer on one socket: moves bytes both ways until the answer is complete or given up. */
export class Call implements AnswerSource {
  /** The id of the one request on its connection. */
  static readonly ID = 1;
  readonly answer: Promise<Answer>;
  readonly #connection: ClientConnection;
  readonly #socket: Socket;
  readonly #ask: Ask;
  readonly #limits: Limits;
  readonly #body = new AnswerBody(this);
  readonly #log = new StringDecoder('utf8');
  #resolve: (answer: Answer) => void = () => {};
  #reject: (error: Error) => void = () => {};
  /** Body bytes that may still come; Infinity: no Content-Length. */
  #left = Number.POSITIVE_INFINITY;
  #bodyless = false;
  #upload: AsyncIterator<Uint8Array> | undefined;
  #roomListener: (() => void) | undefined;
  #pumping = false;
  #blocked = false;
  #ended = false;
  #over = false;

  constructor(connection: ClientConnection, socket: Socket, ask: Ask, limits: Limits) {
    this.#connection = connection;
    this.#socket = socket;
    this.#ask = ask;
    this.#limits = limits;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    ask.signal?.addEventListener('abort', this.#onAbort);
    if (ask.signal?.aborted) this.#onAbort();
    this.#flush();
    if (ask.body !== undefined && !(ask.body instanceof Uint8Array)) void this.#sendBody(ask.body);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#connection.receive(chunk);
    this.#pump();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#connection.receiveEnd();
    this.#pump();
  };

  readonly #onDrain = (): void => {
    this.#blocked = false;
    this.#flush();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    // behind a FIN it is our own sending that failed: all of the answer is here
    if (!this.#ended) this.#breakOff(`the back-end broke the connection (${error.code ?? error.message})`);
  };

  /** Behind a FIN all that came is in the connection, which knows whether the answer is complete. */
  readonly #onClose = (): void => {
    if (!this.#ended) this.#breakOff('the connection to the back-end was closed');
  };

  readonly #onAbort = (): void => {
    this.#fail(givenUp(this.#ask.signal?.reason));
  };

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#over) {
        const event = this.#connection.next();
        if (event === undefined) break;
        this.#dispatch(event);
      }
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#pumping = false;
    // what came may have made something due: AJP's back-end asks for each piece of a body
    this.#flush();
    this.#updateReading();
  }

  #dispatch(event: AnswerEvent): void {
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
    this.#bodyless = isBodyless(variable(this.#ask.variables, 'REQUEST_METHOD'), status);
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i].toLowerCase() === 'content-length') this.#left = Number(headers[i + 1]);
    }
    if (this.#bodyless) this.#left = 0;
    this.#resolve({ status, reason, headers, body: this.#body, cancel: () => this.cancel() });
  }

  #data(chunk: Uint8Array): void {
    if (this.#bodyless) {
      this.#connection.pull(Call.ID);
      return;
    }
    const allowed = chunk.length > this.#left ? chunk.subarray(0, this.#left) : chunk;
    this.#left -= allowed.length;
    if (allowed.length > 0) this.#body.push(allowed);
    if (allowed.length === chunk.length) return;
    this.#say('the answer has more bytes than its Content-Length: the rest is dropped\n');
    this.#bodyless = true;
    this.#connection.pull(Call.ID);
  }

  #say(text: string): void {
    if (text !== '') this.#ask.onLog?.(text);
  }

  #complete(): void {
    if (this.#over) return;
    if (this.#left > 0 && this.#left !== Number.POSITIVE_INFINITY) {
      this.#fail(brokenOff(`the answer ended ${this.#left} bytes before its Content-Length`));
      return;
    }
    this.#say(this.#log.end());
    this.#stop();
    this.#body.finish();
  }

  /** uWSGI resets a connection of which it has not read all: the answer may be whole by its Content-Length. */
  #breakOff(message: string): void {
    if (this.#left === 0) this.#complete();
    else this.#fail(brokenOff(message));
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#stop();
    this.#reject(error);
    this.#body.fail(error);
  }

  /** Nothing more goes over the connection. */
  #stop(): void {
    this.#over = true;
    this.#ask.signal?.removeEventListener('abort', this.#onAbort);
    this.#socket.destroy();
    this.#roomListener?.();
    this.#upload?.return?.().then(undefined, ignore);
  }

  /** AnswerSource: the reader of the body has taken all there was. */
  wantBody(): void {
    if (this.#over) return;
    this.#connection.pull(Call.ID);
    this.#pump();
  }

  cancel(): void {
    this.#fail(givenUp(undefined));
  }

  #updateReading(): void {
    if (this.#over) return;
    const wants = this.#connection.wantsRead;
    if (wants && this.#socket.isPaused()) this.#socket.resume();
    else if (!wants && !this.#socket.isPaused()) this.#socket.pause();
  }

  async #sendBody(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      const upload = body[Symbol.asyncIterator]();
      this.#upload = upload;
      if (this.#over) await upload.return?.();
      while (!this.#over) {
        const step = await upload.next();
        if (this.#over) return;
        this.#connection.send(
          step.done ? { type: 'end', id: Call.ID } : { type: 'data', id: Call.ID, chunk: step.value },
        );
        this.#flush();
        if (step.done) return;
        if (this.#connection.queued(Call.ID) >= this.#limits.bodyHighWater) await this.#room();
      }
    } catch (cause) {
      this.#fail(new AbortError('ERR_ABORTED', 'the request body broke off', 0, { cause }));
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#roomListener = resolve;
    });
  }

  #flush(): void {
    while (!this.#blocked && !this.#over) {
      const output = this.#connection.takeOutput(BUDGET);
      if (output === undefined) break;
      this.#blocked = !this.#write(output);
    }
    if (this.#connection.queued(Call.ID) < this.#limits.bodyHighWater) this.#roomListener?.();
  }

  #write(output: Output): boolean {
    if (typeof output === 'string') return this.#socket.write(output, 'latin1');
    if (!Array.isArray(output)) return this.#socket.write(output);
    this.#socket.cork();
    for (const piece of output) this.#socket.write(piece);
    this.#socket.uncork();
    return !this.#socket.writableNeedDrain;
  }
}

function brokenOff(message: string): RemoteProtocolError {
  return new RemoteProtocolError('ERR_REPLY', message, { status: 502 });
}

function variable(variables: readonly string[], name: string): string {
  for (let i = 0; i < variables.length; i += 2) if (variables[i] === name) return variables[i + 1];
  return '';
}

function ignore(): void {}
