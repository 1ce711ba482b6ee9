import { expect, it } from '@jest/globals';
import { type OneOfFive, pairs, plainGet, record, request, requestInFive } from '@postern/testkit';
import { CPING, forward, hex } from '../../../packages/ajp/test/writer.ts';
import { type Attacked, attacked, type Peer, probe } from './attacked.ts';

/** Two connections to a server, each of which hears what the other was told. */
async function reflected(all: Attacked, seed: Buffer): Promise<{ one: Peer; other: Peer }> {
  const one = await all.connect();
  const other = await all.connect();
  one.socket.pipe(other.socket);
  other.socket.pipe(one.socket);
  // who is cut off is gone for its other side too
  one.socket.on('close', () => other.socket.end());
  other.socket.on('close', () => one.socket.end());
  one.write(seed);
  return { one, other };
}

/** What makes a server say something. */
const seeds: readonly (readonly [what: string, protocol: OneOfFive, bytes: Buffer])[] = [
  ['FastCGI with a request', 'fastcgi', request(plainGet, { flags: 1 })],
  ['FastCGI with a question for its values', 'fastcgi', record(9, 0, pairs({ FCGI_MAX_REQS: '' }))],
  ['FastCGI with an unknown record', 'fastcgi', record(12, 0)],
  ['FastCGI with an unknown role', 'fastcgi', record(1, 1, hex('0004010000000000'))],
  ['FastCGI with what it does not understand', 'fastcgi', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['AJP with a request', 'ajp', forward()],
  ['AJP with a ping', 'ajp', CPING],
  ['AJP with a request that is refused', 'ajp', forward({ uri: null })],
  ['AJP with what it does not understand', 'ajp', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['SCGI with a request', 'scgi', requestInFive('scgi', '/')],
  ['SCGI with what it does not understand', 'scgi', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['uwsgi with a request', 'uwsgi', requestInFive('uwsgi', '/')],
  ['uwsgi with what it does not understand', 'uwsgi', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['HTTP with a request', 'http', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
  ['HTTP with what it does not understand', 'http', Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
];

it.each(seeds)('reflection: %s, led to itself, falls silent and closes', async (_, protocol, seed) => {
  const all = await attacked(protocol);
  const { one, other } = await reflected(all, seed);
  await one.when(() => one.ended || one.closed, 1000);
  await other.when(() => other.ended || other.closed, 1000);
  expect(one.size + other.size).toBeLessThan(1024);
  expect(all.seen.length).toBeLessThanOrEqual(1);
  await probe(all);
});
