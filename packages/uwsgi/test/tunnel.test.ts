import { describe, expect, it } from '@jest/globals';
import { everyWay, outputText, tunnelling, upgrade } from '@postern/testkit';
import { open } from './harness.ts';
import { block, bytes, packet } from './writer.ts';

/** As nginx sends it, with an empty CONTENT_LENGTH. */
const asking = packet(
  block(
    ...['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/chat', 'CONTENT_LENGTH', '', 'SERVER_PROTOCOL', 'HTTP/1.1'],
    ...['HTTP_UPGRADE', 'echo', 'HTTP_CONNECTION', 'Upgrade'],
  ),
);
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';

describe('a tunnel', () => {
  it.each([false, true])('carries raw bytes both ways behind a 101, answered late: %s', (late) => {
    const sent = Buffer.concat([asking, bytes('one\0two')]);
    const { heard, output, close } = everyWay(sent, (chunks) => tunnelling(open(), chunks, { late }));
    expect([heard, output, close]).toEqual(['one\0two', `${SWITCHED}one\0two`, false]);
  });

  it('ends with both of its halves', () => {
    const { events, close } = everyWay(asking, (chunks) => tunnelling(open(), chunks, { fin: true }));
    expect([events, close]).toEqual([['request', 'end'], 'fin']);
  });

  it('half-ends, and reads on', () => {
    const connection = open();
    connection.receive(asking);
    connection.next();
    upgrade(connection);
    connection.send({ type: 'half-end', id: 1 });
    expect(outputText(connection)).toBe(SWITCHED);
    expect(connection.wantsClose).toBe('half');
    connection.receive(bytes('on'));
    expect(connection.next()).toMatchObject({ type: 'data', chunk: bytes('on') });
  });
});
