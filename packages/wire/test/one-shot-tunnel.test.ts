import { describe, expect, it } from '@jest/globals';
import type { ReplyEvent } from '@postern/core';
import { everyWay, outputText, type Tunnelled, type TunnelPlay, tunnelling, upgrade } from '@postern/testkit';
import type { OneShotServerConnection } from '../src/one-shot-server.ts';
import { ask, type Setting, server } from './small-format.ts';

const ASKS = '<2UP';
const SWITCHED = '101 Switching Protocols Upgrade=echo=Connection=Upgrade|';
const head: ReplyEvent = { type: 'head', id: 1, status: 200, reason: 'OK', headers: [] };
const end: ReplyEvent = { type: 'end', id: 1 };
const data = (chunk: string): ReplyEvent => ({ type: 'data', id: 1, chunk });
const small: Setting = { limits: { bodyHighWater: 4 } };

function talk(text: string, play: TunnelPlay = {}): Tunnelled {
  return everyWay(Buffer.from(text, 'latin1'), (chunks) => tunnelling(server(), chunks, play));
}

/** A connection whose request asks for an upgrade, with what came behind it. */
function asked(behind = '', set?: Setting): OneShotServerConnection {
  const connection = server(set);
  connection.receive(Buffer.from(ASKS + behind));
  expect(connection.next()).toMatchObject({ type: 'request', ended: true });
  return connection;
}

function switched(behind = '', set?: Setting): OneShotServerConnection {
  const connection = asked(behind, set);
  upgrade(connection);
  expect(outputText(connection)).toBe(SWITCHED);
  return connection;
}

function dataOf(connection: OneShotServerConnection): Buffer {
  const event = connection.next();
  if (event?.type !== 'data') throw new Error(`${event?.type} instead of data`);
  return Buffer.from(event.chunk);
}

function typesOf(connection: OneShotServerConnection): string[] {
  const types: string[] = [];
  for (let event = connection.next(); event !== undefined; event = connection.next()) types.push(event.type);
  return types;
}

describe('a request that asks for an upgrade', () => {
  it('becomes a tunnel with the 101, and what came before it is not lost', () => {
    expect(talk(`${ASKS}early`)).toEqual({
      events: ['request'],
      heard: 'early',
      output: `${SWITCHED}early`,
      close: false,
    });
    expect(talk(`${ASKS}early`, { late: true })).toMatchObject({ heard: 'early', output: `${SWITCHED}early` });
  });

  it('waits for its answer: what comes is not read before, and no more than bodyHighWater is taken', () => {
    const connection = asked('123', small);
    expect([connection.next(), connection.wantsRead]).toEqual([undefined, true]);
    connection.receive(Buffer.from('4'));
    expect([connection.next(), connection.wantsRead]).toEqual([undefined, false]);
    upgrade(connection);
    expect(Buffer.concat([dataOf(connection), dataOf(connection)]).toString()).toBe('1234');
  });

  it('may be answered like any other, and what came behind it is thrown away', () => {
    for (const reply of [[{ ...head, type: 'whole', body: 'no' } as const], [head, data('no'), end]]) {
      const connection = asked('behind', small);
      for (const event of reply) connection.send(event);
      expect(connection.wantsRead).toBe(true);
      connection.receive(Buffer.from('more'));
      expect(typesOf(connection)).toEqual([]);
      expect([outputText(connection), connection.wantsClose]).toEqual(['200 OK |no', 'fin']);
    }
  });

  it('drops what came as soon as the head of another answer is sent', () => {
    const connection = asked('behind', small);
    expect(connection.wantsRead).toBe(false);
    connection.send(head);
    expect([connection.wantsRead, connection.wantsClose]).toEqual([true, false]);
    expect(() => upgrade(connection)).toThrow(expect.objectContaining({ code: 'ERR_UPGRADE' }));
  });

  it('is the only one that can have a tunnel', () => {
    const connection = server();
    connection.receive(Buffer.from(ask('GET')));
    connection.next();
    expect(() => upgrade(connection)).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_UPGRADE' }),
    );
    connection.send({ ...head, type: 'whole', body: 'hi' });
    expect(outputText(connection)).toBe('200 OK |hi');
  });
});

describe('a tunnel', () => {
  it('hands out bodyHighWater bytes, and more with each pull', () => {
    const connection = switched('123456789', small);
    expect(connection.next()).toMatchObject({ type: 'data', chunk: Buffer.from('1234') });
    expect([connection.next(), connection.wantsRead]).toEqual([undefined, false]);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
    expect(connection.next()).toMatchObject({ type: 'data', chunk: Buffer.from('5678') });
  });

  it('ends at the FIN of the peer, behind all that came before it', () => {
    const connection = switched('123456789', small);
    connection.receiveEnd();
    const seen = [typesOf(connection)];
    while (!seen.at(-1)?.includes('end')) {
      connection.pull(1);
      seen.push(typesOf(connection));
    }
    expect(seen).toEqual([['data'], ['data'], ['data', 'end']]);
    expect(typesOf(connection)).toEqual([]);
    expect([connection.wantsClose, connection.idle]).toEqual([false, false]);
    connection.send(end);
    expect([connection.wantsClose, connection.idle]).toEqual(['fin', true]);
  });

  it('half-closes where the application ends its half, and is idle when both have ended', () => {
    const connection = switched();
    connection.send(data('bye'));
    connection.send({ type: 'half-end', id: 1 });
    expect([outputText(connection), connection.wantsClose, connection.idle]).toEqual(['bye', 'half', false]);
    connection.receive(Buffer.from('still here'));
    expect(typesOf(connection)).toEqual(['data']);
    connection.send({ type: 'log', id: 1, text: 'for nobody' });
    connection.send(end);
    expect([outputText(connection), connection.wantsClose, connection.idle]).toEqual(['', 'fin', true]);
  });

  it('that breaks off in its second half is reset, and idle', () => {
    const connection = switched();
    connection.send({ type: 'half-end', id: 1 });
    connection.send({ type: 'abort', id: 1 });
    expect([connection.wantsClose, connection.idle]).toEqual(['reset', true]);
  });
});

describe('an interim reply', () => {
  it('goes in front of the reply, as often as it is sent', () => {
    const connection = server();
    connection.receive(Buffer.from(ask('GET')));
    connection.next();
    const hints = ['Link', '</a>'];
    for (let i = 0; i < 2; i++)
      connection.send({ type: 'interim', id: 1, status: 103, reason: 'Early Hints', headers: hints });
    expect(outputText(connection)).toBe('103 Early Hints Link=</a>|103 Early Hints Link=</a>|');
    expect(connection.wantsClose).toBe(false);
    for (const event of [head, data('hi'), end]) connection.send(event);
    expect(outputText(connection)).toBe('200 OK |hi');
  });

  it('goes in front of a whole reply that is sent in the same turn', () => {
    const connection = server();
    connection.receive(Buffer.from(ask('GET')));
    connection.next();
    connection.send({ type: 'interim', id: 1, status: 103, reason: 'Early Hints', headers: ['Link', '</a>'] });
    connection.send({ ...head, type: 'whole', body: 'hi' });
    expect(outputText(connection)).toBe('103 Early Hints Link=</a>|200 OK |hi');
  });
});

describe('takeNotice', () => {
  const excess = { code: 'ERR_BODY_EXCESS' };

  function given(text: string): OneShotServerConnection {
    const connection = server();
    connection.receive(Buffer.from(text));
    typesOf(connection);
    return connection;
  }

  it('tells of bytes behind CONTENT_LENGTH, once', () => {
    for (const text of [`${ask('POST', 'abc')}x`, `${ask('GET')}${ask('GET')}`]) {
      const connection = given(text);
      expect(connection.takeNotice()).toMatchObject(excess);
      expect(connection.takeNotice()).toBeUndefined();
    }
  });

  it('tells of them when they come later, and not of a body that is whole', () => {
    const connection = given(ask('POST', 'abc'));
    expect(connection.takeNotice()).toBeUndefined();
    connection.receive(Buffer.from('x'));
    expect(typesOf(connection)).toEqual([]);
    expect(connection.takeNotice()).toMatchObject(excess);
  });

  it('tells what is amiss with the head, and keeps it when bytes follow', () => {
    const connection = given('<2N x');
    expect(connection.takeNotice()).toMatchObject({ message: 'noted' });
  });
});

describe('what is closed already', () => {
  it('is not closed in a milder way by a shutdown', () => {
    const connection = server();
    connection.receive(Buffer.from('<'));
    connection.next();
    connection.expireHeads();
    connection.shutdown();
    expect(connection.wantsClose).toBe('reset');
  });

  it('is closed by an answer, although only its own half was before', () => {
    const connection = switched();
    connection.send({ type: 'half-end', id: 1 });
    connection.send(end);
    connection.shutdown();
    expect(connection.wantsClose).toBe('fin');
  });
});

describe('a body of exactly bodyHighWater bytes', () => {
  it('asks for no pause: there is nothing more of it', () => {
    const connection = server(small);
    connection.receive(Buffer.from(ask('POST', 'abcd')));
    expect([connection.next()?.type, connection.next()?.type]).toEqual(['request', 'data']);
    expect(connection.wantsRead).toBe(true);
  });

  it('is followed by a pause where there is more, until pull', () => {
    const connection = server(small);
    connection.receive(Buffer.from(ask('POST', 'abcde')));
    expect([connection.next()?.type, connection.next()?.type]).toEqual(['request', 'data']);
    expect(connection.wantsRead).toBe(false);
    connection.pull(1);
    expect(connection.wantsRead).toBe(true);
  });
});

describe('a defect of what reads the head', () => {
  it('is not taken for an error of the peer', () => {
    const connection = server();
    connection.receive(Buffer.from('<1!'));
    expect(() => connection.next()).toThrow(new TypeError('a defect'));
    expect(connection.wantsClose).toBe(false);
  });
});
