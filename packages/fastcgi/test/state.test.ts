import { describe, expect, it } from '@jest/globals';
import {
  LocalProtocolError,
  RemoteProtocolError,
  type ReplyEvent,
  type ReplyInput,
  type ReplyState,
  replyTable,
} from '@postern/core';
import { abort, begin, outputText, pair, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import { type ReceiveInput, type ReceiveState, receiveTable } from '../src/state.ts';
import { server } from './serving.ts';

const post = pairs({ ...plainGet, REQUEST_METHOD: 'POST', CONTENT_LENGTH: '9' });

/** What a web server sends to bring a request into a state. */
const ways: Record<ReceiveState, Buffer[]> = {
  params: [begin(1, 1), params(post)],
  early: [begin(1, 1), params(post), stdin()],
  body: [begin(1, 1), params(post), params()],
  complete: [begin(1, 1), params(post), params(), stdin('123456789'), stdin()],
  refused: [begin(1, 1, 9)],
};

const inputs: Record<ReceiveInput, Buffer> = {
  PARAMS: params(pair('A', 'b')),
  PARAMS_END: params(),
  STDIN: stdin('x'),
  STDIN_END: stdin(),
  ABORT: abort(),
  DATA: record(8, 1, 'x'),
};

const receiveCells = (Object.keys(ways) as ReceiveState[]).flatMap((state) =>
  (Object.keys(inputs) as ReceiveInput[]).map((input) => [state, input] as const),
);

/** What an application does to bring its reply into a state. */
const head: ReplyEvent = { type: 'head', id: 1, status: 200, reason: 'OK', headers: [] };
const events: Record<ReplyInput, ReplyEvent> = {
  whole: { ...head, type: 'whole', body: null },
  head,
  data: { type: 'data', id: 1, chunk: 'x' },
  flush: { type: 'flush', id: 1 },
  end: { type: 'end', id: 1 },
  abort: { type: 'abort', id: 1 },
  log: { type: 'log', id: 1, text: 'x' },
};
const replyWays: Record<ReplyState, ReplyEvent[]> = { waiting: [], body: [head], ended: [head, events.end] };

const replyCells = (Object.keys(replyWays) as ReplyState[]).flatMap((state) =>
  (Object.keys(events) as ReplyInput[]).map((input) => [state, input] as const),
);

describe('the table of what is received', () => {
  it('has a row for every state and leads to states alone', () => {
    expect(Object.keys(receiveTable).sort()).toEqual(Object.keys(ways).sort());
    for (const row of Object.values(receiveTable)) {
      for (const next of Object.values(row)) expect(Object.keys(ways)).toContain(next);
    }
  });

  it.each(receiveCells)('in the state %s allows %s exactly where it has a cell', (state, input) => {
    const connection = server();
    for (const bytes of [...ways[state], inputs[input]]) connection.receive(bytes);
    let broken: string | undefined;
    try {
      while (connection.next() !== undefined);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      broken = `${error.code} ${error.scope}`;
    }
    expect(broken).toBe(receiveTable[state][input] === undefined ? 'ERR_FCGI_STATE connection' : undefined);
  });
});

describe('the table of what is answered', () => {
  it('has a row for every state and leads to states alone', () => {
    expect(Object.keys(replyTable).sort()).toEqual(Object.keys(replyWays).sort());
    for (const row of Object.values(replyTable)) {
      for (const next of Object.values(row)) expect(Object.keys(replyWays)).toContain(next);
    }
  });

  it.each(replyCells)('in the state %s allows %s exactly where it has a cell', (state, input) => {
    const connection = server();
    connection.receive(request(plainGet, { flags: 1 }));
    while (connection.next() !== undefined);
    for (const event of replyWays[state]) connection.send(event);
    const send = (): void => connection.send(events[input]);
    // a line for the log may come late from an application that knows nothing of the end: it is dropped
    if (state === 'ended' && input === 'log') expect(send).not.toThrow();
    else if (replyTable[state][input] === undefined) expect(send).toThrow(LocalProtocolError);
    else expect(send).not.toThrow();
    outputText(connection);
    const ended = state === 'ended' || replyTable[state][input] === 'ended';
    expect(connection.idle).toBe(ended);
  });
});
