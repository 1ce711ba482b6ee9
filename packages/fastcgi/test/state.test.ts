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
import type { FastcgiServerConnection } from '../src/server-connection.ts';
import {
  type FilterInput,
  type FilterState,
  filterTable,
  type ReceiveInput,
  type ReceiveState,
  receiveTable,
} from '../src/state.ts';
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

const filterInputs: Record<FilterInput, Buffer> = { ...inputs, DATA_END: record(8, 1) };
const filterHead = pairs({ ...plainGet, FCGI_DATA_LENGTH: '9' });
const filterWays: Record<FilterState, Buffer[]> = {
  params: [begin(1, 1, 3), params(filterHead)],
  early: [begin(1, 1, 3), params(filterHead), stdin()],
  body: [begin(1, 1, 3), params(post), params()],
  data: [begin(1, 1, 3), params(filterHead), params(), stdin()],
  complete: [begin(1, 1, 3), params(filterHead), params(), stdin(), record(8, 1, '123456789'), record(8, 1)],
  refused: [begin(1, 1, 3), abort()],
};
const filterCells = (Object.keys(filterWays) as FilterState[]).flatMap((state) =>
  (Object.keys(filterInputs) as FilterInput[]).map((input) => [state, input] as const),
);

/** Why the last of these records broke the connection; undefined: it did not. */
function breaks(connection: FastcgiServerConnection, records: Buffer[]): string | undefined {
  for (const bytes of records) connection.receive(bytes);
  try {
    while (connection.next() !== undefined);
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} ${error.scope}`;
  }
  return undefined;
}

/** What an application does to bring its reply into a state. */
const head: ReplyEvent = { type: 'head', id: 1, status: 200, reason: 'OK', headers: [] };
const events: Record<ReplyInput, ReplyEvent> = {
  whole: { ...head, type: 'whole', body: null },
  head,
  upgrade: { ...head, type: 'upgrade', status: 101 },
  'half-end': { type: 'half-end', id: 1 },
  data: { type: 'data', id: 1, chunk: 'x' },
  flush: { type: 'flush', id: 1 },
  end: { type: 'end', id: 1 },
  abort: { type: 'abort', id: 1 },
  log: { type: 'log', id: 1, text: 'x' },
};
const replyWays: Record<ReplyState, ReplyEvent[]> = {
  waiting: [],
  body: [head],
  tunnel: [events.upgrade],
  half: [events.upgrade, events['half-end']],
  ended: [head, events.end],
};

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
    const broken = breaks(server(), [...ways[state], inputs[input]]);
    expect(broken).toBe(receiveTable[state][input] === undefined ? 'ERR_FCGI_STATE connection' : undefined);
  });
});

describe('the table of what is received for a filter', () => {
  it('has a row for every state and leads to states alone', () => {
    expect(Object.keys(filterTable).sort()).toEqual(Object.keys(filterWays).sort());
    for (const row of Object.values(filterTable)) {
      for (const next of Object.values(row)) expect(Object.keys(filterWays)).toContain(next);
    }
  });

  it.each(filterCells)('in the state %s allows %s exactly where it has a cell', (state, input) => {
    const broken = breaks(server({}, { roles: ['filter'] }), [...filterWays[state], filterInputs[input]]);
    expect(broken).toBe(filterTable[state][input] === undefined ? 'ERR_FCGI_STATE connection' : undefined);
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
    connection.receive(request({ ...plainGet, HTTP_UPGRADE: 'x', HTTP_CONNECTION: 'upgrade' }, { flags: 1 }));
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
