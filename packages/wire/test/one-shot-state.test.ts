import { describe, expect, it } from '@jest/globals';
import { LocalProtocolError, type ReplyEvent } from '@postern/core';
import type { OneShotServerConnection } from '../src/one-shot-server.ts';
import { type OneShotInput, type OneShotState, oneShotTable } from '../src/one-shot-state.ts';
import { ask, server } from './small-format.ts';

/** What a peer and an application do to bring a connection into a state. */
const ways: Record<OneShotState, () => OneShotServerConnection> = {
  length: () => reading(''),
  block: () => reading('<6'),
  body: () => reading('<6POST 2'),
  complete: () => reading(ask('GET')),
  asked: () => reading(ask('UP')),
  tunnel: () => {
    const connection = reading(ask('UP'));
    connection.send(UPGRADE);
    return connection;
  },
  dropped: () => {
    const connection = reading('');
    connection.shutdown();
    return connection;
  },
};

/** Bytes that are the input in the state that is waiting for it, and what is heard of them then. */
const inputs: Record<Exclude<OneShotInput, 'DROP' | 'UPGRADE'>, { bytes: string; heard: string }> = {
  LENGTH: { bytes: '<6', heard: '' },
  HEAD: { bytes: 'POST 0', heard: 'request' },
  HEAD_BODY: { bytes: 'POST 2', heard: 'request' },
  HEAD_ASKS: { bytes: 'UP    ', heard: 'request' },
  BODY: { bytes: 'a', heard: 'data' },
  BODY_END: { bytes: 'ab', heard: 'data end' },
};

function reading(text: string): OneShotServerConnection {
  const connection = server();
  hear(connection, text);
  return connection;
}

function hear(connection: OneShotServerConnection, text: string): string {
  connection.receive(Buffer.from(text));
  const types: string[] = [];
  for (let event = connection.next(); event !== undefined; event = connection.next()) types.push(event.type);
  return types.join(' ');
}

/** The state as far as it can be told from outside. */
function stateOf(connection: OneShotServerConnection): OneShotState | 'none' {
  const { headPending, idle, wantsClose } = connection;
  if (wantsClose !== false) return 'dropped';
  if (headPending) return 'block';
  if (idle) return 'length';
  if (hear(connection, 'b').startsWith('data'))
    return allows(connection, { type: 'half-end', id: 1 }) ? 'tunnel' : 'body';
  return allows(connection, UPGRADE) ? 'asked' : 'complete';
}

const UPGRADE: ReplyEvent = { type: 'upgrade', id: 1, status: 101, reason: '', headers: [] };

function allows(connection: OneShotServerConnection, event: ReplyEvent): boolean {
  try {
    connection.send(event);
    return true;
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
    return false;
  }
}

const cells = (Object.keys(ways) as OneShotState[]).flatMap((state) =>
  (Object.keys(inputs) as (keyof typeof inputs)[]).map((input) => [state, input] as const),
);

describe('the table of what a server receives', () => {
  it('has a row for every state and leads to states alone', () => {
    expect(Object.keys(oneShotTable).sort()).toEqual(Object.keys(ways).sort());
    for (const row of Object.values(oneShotTable))
      for (const next of Object.values(row)) expect(Object.keys(ways)).toContain(next);
  });

  it.each(Object.entries(ways))('names the state %s as the connection shows it', (state, way) => {
    expect(stateOf(way())).toBe(state);
  });

  it.each(cells.filter(([state, input]) => state !== 'tunnel' && oneShotTable[state][input] !== undefined))(
    'in the state %s leads where the cell of %s says',
    (state, input) => {
      const connection = ways[state]();
      const { bytes, heard } = inputs[input];
      expect(hear(connection, bytes)).toBe(heard);
      expect(stateOf(connection)).toBe(oneShotTable[state][input]);
    },
  );

  it('in the state asked leads to a tunnel, whose body ends with the connection', () => {
    expect(oneShotTable.asked.UPGRADE).toBe('tunnel');
    const connection = ways.tunnel();
    expect(hear(connection, 'ab')).toBe('data');
    expect(stateOf(connection)).toBe(oneShotTable.tunnel.BODY);
    const ended = ways.tunnel();
    ended.receiveEnd();
    expect(hear(ended, '')).toBe('end');
    expect(oneShotTable.tunnel.BODY_END).toBe('dropped');
    expect(hear(ended, 'a')).toBe('');
  });

  it.each(['complete', 'dropped'] as const)('in the state %s throws away what comes, whatever it is', (state) => {
    expect(Object.keys(oneShotTable[state])).toEqual(['DROP']);
    for (const { bytes } of Object.values(inputs)) expect(hear(ways[state](), bytes)).toBe('');
  });

  it.each(Object.entries(ways))('lets a connection in the state %s be given up', (state, way) => {
    const connection = way();
    if (['body', 'complete', 'asked', 'tunnel'].includes(state)) connection.send({ type: 'abort', id: 1 });
    else if (state === 'block') connection.expireHeads();
    else connection.shutdown();
    expect(oneShotTable[state as OneShotState].DROP).toBe('dropped');
    expect(stateOf(connection)).toBe('dropped');
    expect(hear(connection, ask('GET'))).toBe('');
  });
});
