import { describe, expect, it } from '@jest/globals';
import {
  AbortError,
  CgiHead,
  type Output,
  RemoteProtocolError,
  type ReplyEvent,
  type RequestEvent,
  type RequestHead,
  type ServerConnection,
} from '@postern/core';
import { converse, outputText, textOf } from '../src/conversation.ts';

const head = CgiHead.of(['REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', '6']);

/** A connection whose one request has each chunk for a piece of its body. `copies`: it keeps to the rule of `retain`. */
class Fake implements ServerConnection {
  readonly idle = false;
  readonly headPending = false;
  readonly wantsRead = true;
  wantsClose: false | 'fin' | 'reset' = false;
  readonly sent: string[] = [];
  readonly events: (RequestEvent | RemoteProtocolError)[];
  readonly #copies: boolean;
  readonly #head: RequestHead;
  #held: Uint8Array[] = [];
  #begun = false;
  #pulled = false;
  #output: Output | undefined;

  constructor(copies: boolean, of: RequestHead = head, events: (RequestEvent | RemoteProtocolError)[] = []) {
    this.#copies = copies;
    this.#head = of;
    this.events = events;
  }

  receive(chunk: Uint8Array): void {
    if (!this.#begun) this.events.push({ type: 'request', id: 1, role: 'responder', head: this.#head, ended: false });
    this.#begun = true;
    this.#held.push(chunk);
  }

  retain(): void {
    if (this.#copies) this.#held = this.#held.map((chunk) => Buffer.from(chunk));
  }

  receiveEnd(): void {
    this.events.push({ type: 'end', id: 1 });
  }

  next(): RequestEvent | undefined {
    const event = this.events.shift();
    if (event instanceof RemoteProtocolError) throw event;
    const chunk = event === undefined && this.#pulled ? this.#held.shift() : undefined;
    if (chunk === undefined) return event;
    this.#pulled = false;
    return { type: 'data', id: 1, chunk };
  }

  pull(): void {
    this.#pulled = true;
  }

  send(event: ReplyEvent): void {
    this.sent.push(`${event.type} ${event.type === 'whole' ? event.status : ''}`.trim());
    this.#output = 'text';
  }

  queued(): number {
    return 0;
  }

  takeOutput(): Output | undefined {
    const output = this.#output;
    this.#output = undefined;
    return output;
  }

  expireHeads(): void {}

  shutdown(): void {}
}

const chunks = [Buffer.from('abc'), Buffer.from('def')];

describe('converse', () => {
  it('reads all of a body, answers at its end and gives what was written', () => {
    const connection = new Fake(true);
    const { asked, errors, output, close } = converse(connection, chunks, { fin: true });
    expect(asked).toMatchObject([{ id: 1, role: 'responder', body: 'abcdef', ended: 'end' }]);
    expect(asked[0].variables).toEqual(['REQUEST_METHOD', 'POST', 'CONTENT_LENGTH', '6']);
    expect({ errors, output, close, sent: connection.sent }).toEqual({
      errors: [],
      output: 'text',
      close: false,
      sent: ['whole 200'],
    });
  });

  it.each([
    ['head', ['whole 200']],
    ['never', []],
  ] as const)('answers as it is told: %s', (answer, sent) => {
    const connection = new Fake(true);
    converse(connection, [chunks[0]], { answer });
    expect(connection.sent).toEqual(sent);
  });

  it('finds a connection that reads the memory of a chunk after it was told to retain it', () => {
    const body = (copies: boolean): string =>
      converse(new Fake(copies), chunks, { late: true, fin: true }).asked[0].body;
    expect(body(true)).toBe('abcdef');
    // the first piece waited, the second was asked for already
    expect(body(false)).toBe('\xee\xee\xeedef');
  });

  it('finds a head that is read of memory that is used again', () => {
    const careless: RequestHead = {
      ...head,
      variables: () => ['X', memory.toString('latin1')],
      headers: () => [],
    };
    let memory: Buffer = Buffer.alloc(0);
    const connection = new Fake(true, careless);
    const { receive } = connection;
    connection.receive = function (this: Fake, chunk: Uint8Array) {
      memory = chunk as Buffer;
      receive.call(this, chunk);
    };
    expect(() => converse(connection, [chunks[0]])).toThrow(/abc/);
  });

  it('leaves the chunks of its caller alone', () => {
    converse(new Fake(true), chunks);
    expect(chunks.map(String)).toEqual(['abc', 'def']);
  });

  it('answers what was refused, and only tells of what broke the connection', () => {
    const refused = new RemoteProtocolError('ERR_ENV_NAME', 'no', { scope: 'request', status: 431, id: 7 });
    const broken = new RemoteProtocolError('ERR_ENV_PAIR', 'no');
    const connection = new Fake(true, head, [refused, broken]);
    const { errors } = converse(connection, [chunks[0]], { answer: 'never' });
    expect(errors).toEqual(['ERR_ENV_NAME 431 7', 'ERR_ENV_PAIR']);
    expect(connection.sent).toEqual(['whole 431']);
  });

  it('answers a body that broke off with 400', () => {
    const error = new AbortError('ERR_BODY_SHORT', 'short');
    const connection = new Fake(true);
    connection.receiveEnd = () => connection.events.push({ type: 'body-error', id: 1, error });
    const { asked } = converse(connection, [chunks[0]], { fin: true });
    expect(asked).toMatchObject([{ body: 'abc', ended: 'ERR_BODY_SHORT' }]);
    expect(connection.sent).toEqual(['whole 400']);
  });

  it.each<[string, RequestEvent[]]>([
    ['an event of no request', [{ type: 'end', id: 9 }]],
    [
      'a body behind its end',
      [
        { type: 'request', id: 3, role: 'responder', head, ended: true },
        { type: 'data', id: 3, chunk: chunks[0] },
      ],
    ],
  ])('does not take %s', (_, events) => {
    expect(() => converse(new Fake(true, head, events), [chunks[0]])).toThrow(
      /of which there was no request|after end/,
    );
  });
});

describe('output as text', () => {
  it('is the bytes as latin-1, of a string, a piece and pieces', () => {
    expect(textOf('a\xff')).toBe('a\xff');
    expect(textOf(Uint8Array.of(97, 255))).toBe('a\xff');
    expect(textOf([Buffer.from('a'), Uint8Array.of(255)])).toBe('a\xff');
  });

  it('is all of it', () => {
    const outputs: Output[] = ['a', Buffer.from('b'), [Buffer.from('c')]];
    expect(outputText({ takeOutput: () => outputs.shift() })).toBe('abc');
  });
});
