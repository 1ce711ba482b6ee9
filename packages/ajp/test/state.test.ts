import { describe, expect, it } from '@jest/globals';
import { LocalProtocolError, limitsWith, RemoteProtocolError, type ServerConnection } from '@postern/core';
import { outputText } from '@postern/testkit';
import { AjpClientConnection } from '../src/client-connection.ts';
import {
  type AnswerInput,
  type AnswerState,
  answerTable,
  type ReceiveInput,
  type ReceiveState,
  receiveTable,
  type UploadInput,
  type UploadState,
  uploadTable,
} from '../src/state.ts';
import { Upload } from '../src/upload.ts';
import { asked, CPONG, chunk, end, FLUSH, getBody, headers } from './container.ts';
import { CHUNKED, head, open, POST, reply } from './harness.ts';
import { bodyPacket, CPING, EMPTY, END_REUSE, forward } from './writer.ts';

type Table = Record<string, Partial<Record<string, string>>>;

function cells<State extends string, Input extends string>(
  states: Record<State, unknown>,
  inputs: Record<Input, unknown>,
): (readonly [State, Input])[] {
  return (Object.keys(states) as State[]).flatMap((state) =>
    (Object.keys(inputs) as Input[]).map((input) => [state, input] as const),
  );
}

function expectClosed(table: Table, states: object): void {
  expect(Object.keys(table).sort()).toEqual(Object.keys(states).sort());
  for (const row of Object.values(table)) {
    for (const next of Object.values(row)) expect(Object.keys(states)).toContain(next);
  }
}

describe('the table of what a server receives', () => {
  const ways: Record<ReceiveState, () => ServerConnection> = {
    idle: () => receiving(),
    due: () => receiving(POST),
    held: () => receiving(CHUNKED),
    complete: () => receiving(forward()),
    dropped: () => {
      const connection = receiving();
      connection.shutdown();
      return connection;
    },
  };

  const inputs: Record<Exclude<ReceiveInput, 'ASK' | 'BODY_PART' | 'END' | 'DROP'>, Uint8Array> = {
    HEAD: forward(),
    HEAD_LENGTH: POST,
    HEAD_CHUNKED: CHUNKED,
    CPING,
    EMPTY,
    BODY: bodyPacket('hel'),
    BODY_END: bodyPacket('hello'),
  };

  function receiving(bytes?: Uint8Array): ServerConnection {
    const connection = open();
    if (bytes !== undefined) connection.receive(bytes);
    while (connection.next() !== undefined);
    return connection;
  }

  function outcome(connection: ServerConnection, bytes: Uint8Array): string {
    connection.receive(bytes);
    try {
      let events = '';
      for (let event = connection.next(); event !== undefined; event = connection.next()) events += ` ${event.type}`;
      return events.trim() || 'nothing';
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      return error.code;
    }
  }

  it('has a row for every state and leads to states alone', () => expectClosed(receiveTable, ways));

  it.each([
    ['HEAD', 'idle', 'request'],
    ['HEAD_LENGTH', 'idle', 'request'],
    ['HEAD_CHUNKED', 'idle', 'request'],
    ['CPING', 'idle', 'nothing'],
    ['BODY', 'due', 'data'],
    ['BODY_END', 'due', 'data end'],
    ['EMPTY', 'complete', 'nothing'],
  ] as const)('lets %s come in the state %s', (input, state, expected) => {
    expect(receiveTable[state][input]).toBeDefined();
    expect(outcome(ways[state](), inputs[input])).toBe(expected);
  });

  it.each(cells({ idle: 0, held: 0 }, inputs))(
    'in the state %s allows %s exactly where it has a cell',
    (state, input) => {
      const allowed = receiveTable[state][input] !== undefined && input !== 'EMPTY';
      // behind a request an empty packet is let pass; before all of them it is not
      expect(outcome(ways[state](), inputs[input]).startsWith('ERR_')).toBe(!allowed);
    },
  );

  it.each(Object.entries(inputs))('brings nothing of %s once the rest is dropped', (_, bytes) => {
    expect(outcome(ways.dropped(), bytes)).toBe('nothing');
  });

  it.each(Object.keys(ways) as ReceiveState[])(
    'lets a reply in the state %s keep the connection where it says so',
    (state) => {
      if (state === 'idle' || state === 'dropped') return;
      const connection = ways[state]();
      connection.send(reply(1));
      expect(outputText(connection).endsWith(END_REUSE)).toBe(receiveTable[state].END !== undefined);
    },
  );

  it('asks for a body where it says so, and nowhere else', () => {
    for (const state of ['due', 'held', 'complete'] as const) {
      const connection = ways[state]();
      connection.pull(1);
      expect(outputText(connection) !== '').toBe(receiveTable[state].ASK !== undefined);
      connection.send(head(1));
    }
  });
});

describe('the table of what a client hears', () => {
  const fresh = (): AjpClientConnection => new AjpClientConnection(limitsWith());
  const variables = ['REQUEST_METHOD', 'POST', 'HTTP_TRANSFER_ENCODING', 'chunked'];
  const waiting = (): AjpClientConnection => asked({ variables: variables.slice(2) }, false);
  const ways: Record<AnswerState, () => AjpClientConnection> = {
    idle: fresh,
    pinged: () => {
      const connection = fresh();
      connection.send({ type: 'ping', id: 1 });
      outputText(connection);
      return connection;
    },
    waiting,
    body: () => {
      const connection = waiting();
      connection.receive(headers());
      connection.next();
      return connection;
    },
    over: () => {
      const connection = waiting();
      connection.send({ type: 'abort', id: 1 });
      return connection;
    },
  };

  const received: Record<Exclude<AnswerInput, 'REQUEST' | 'PING' | 'DROP'>, Uint8Array> = {
    CPONG,
    SEND_HEADERS: headers(),
    SEND_BODY_CHUNK: chunk('x'),
    FLUSH,
    GET_BODY_CHUNK: getBody(),
    END_REUSE: end(1),
    END_CLOSE: end(0),
  };

  it('has a row for every state and leads to states alone', () => expectClosed(answerTable, ways));

  it.each(cells(ways, received))('in the state %s allows %s exactly where it has a cell', (state, input) => {
    const connection = ways[state]();
    connection.receive(received[input]);
    const read = (): void => {
      while (connection.next() !== undefined);
    };
    if (state === 'over') {
      read();
      expect(connection.wantsClose).toBe('reset');
    } else if (answerTable[state][input] === undefined) expect(read).toThrow(RemoteProtocolError);
    else {
      read();
      const over = answerTable[state][input] === 'over';
      expect(connection.wantsClose).toBe(over ? 'fin' : false);
    }
  });

  it.each(cells(ways, { REQUEST: 0, PING: 0 }))(
    'in the state %s lets %s be sent exactly where it has a cell',
    (state, input) => {
      const connection = ways[state]();
      const send = (): void =>
        connection.send(input === 'PING' ? { type: 'ping', id: 2 } : { type: 'request', id: 2, variables, keep: true });
      if (answerTable[state][input] === undefined) expect(send).toThrow(LocalProtocolError);
      else {
        send();
        expect(outputText(connection)).not.toBe('');
      }
    },
  );
});

describe('the table of what a client sends of a body', () => {
  const begun = (length: number): Upload => {
    const upload = new Upload(4);
    upload.begin(length);
    return upload;
  };
  const ways: Record<UploadState, () => Upload> = {
    first: () => begun(9),
    held: () => begun(Number.POSITIVE_INFINITY),
    asked: () => {
      const upload = begun(Number.POSITIVE_INFINITY);
      upload.ask(4);
      return upload;
    },
    whole: () => begun(0),
    surplus: () => {
      const upload = begun(0);
      upload.ask(4);
      return upload;
    },
    ended: () => {
      const upload = begun(9);
      upload.drop();
      return upload;
    },
  };

  const inputs: Record<UploadInput, (upload: Upload) => boolean> = {
    ASK: (upload) => upload.ask(4),
    PIECE: (upload) => {
      given(() => upload.push(Buffer.from('ab')));
      return (upload.take()?.pieces.length ?? 0) > 0 && upload.ask(1);
    },
    LAST: (upload) => {
      given(() => upload.push(Buffer.from('abc')));
      const sent = upload.take()?.pieces.length ?? 0;
      given(() => upload.complete());
      return sent > 0;
    },
    END: (upload) => {
      given(() => upload.complete());
      return upload.take()?.pieces.length === 0;
    },
    DROP: (upload) => {
      upload.drop();
      return !upload.owes && upload.take() === undefined;
    },
  };

  /** What the caller gives of a body; no state but some lengths refuse it. */
  function given(give: () => void): void {
    try {
      give();
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
    }
  }

  it('has a row for every state and leads to states alone', () => expectClosed(uploadTable, ways));

  it.each(cells(ways, inputs))('in the state %s allows %s exactly where it has a cell', (state, input) => {
    expect(inputs[input](ways[state]())).toBe(uploadTable[state][input] !== undefined);
  });
});
