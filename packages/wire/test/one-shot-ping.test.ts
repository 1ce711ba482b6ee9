import { describe, expect, it } from '@jest/globals';
import { type AskEvent, limitsWith } from '@postern/core';
import { everyWay, type Heard, hear, outputText } from '@postern/testkit';
import { OneShotClientConnection, type OneShotRequests } from '../src/one-shot-client.ts';
import { requests } from './small-format.ts';

const ping: AskEvent = { type: 'ping', id: 1 };
const abort: AskEvent = { type: 'abort', id: 1 };
const request: AskEvent = { type: 'request', id: 1, variables: [], keep: false };

function fresh(of: OneShotRequests = requests): OneShotClientConnection {
  return new OneShotClientConnection(of, limitsWith());
}

describe('a ping', () => {
  const pinged = (): OneShotClientConnection => {
    const connection = fresh();
    connection.send(ping);
    outputText(connection);
    return connection;
  };

  const talk = (text: string, fin = true): Heard =>
    everyWay(Buffer.from(text, 'latin1'), (chunks) => hear(pinged(), chunks, fin));

  it('is asked, answered, and ends the connection; what is behind the answer is not heard', () => {
    const connection = fresh();
    connection.send(ping);
    expect(outputText(connection)).toBe('?');
    for (const text of ['alive', 'alive and more'])
      expect(talk(text, false)).toEqual({
        body: '',
        last: { type: 'pong', id: 1 },
        close: 'fin',
      });
  });

  it.each([
    ['something else', 'alivf'],
    ['too little', 'aliv'],
    ['nothing', ''],
  ])('that is answered with %s is the failure of a gateway', (_, text) => {
    expect(talk(text)).toEqual({ body: '', error: 'ERR_REPLY 502', close: 'reset' });
  });

  it('is refused by a protocol that has none, whose connection can still take a request', () => {
    const connection = fresh({ ...requests, ping: undefined });
    expect(() => connection.send(ping)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_LACKS' }));
    connection.send(request);
    expect(outputText(connection)).toBe(' 0|');
  });

  it('can be given up', () => {
    const connection = pinged();
    connection.send(abort);
    connection.receive(Buffer.from('alive'));
    expect([connection.next(), connection.wantsClose]).toEqual([undefined, 'reset']);
  });
});
