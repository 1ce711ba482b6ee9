// Reads through a light socket what it sends itself, and throws at one of the pieces: says what was read, and how much of it
// is not what was sent.
import { type AddressInfo, connect, createServer } from 'node:net';
import type { SocketEvents } from '../../src/driven-socket.ts';
import { acceptLight } from '../../src/light-socket.ts';

const sent = Buffer.from(Array.from({ length: 4_000_000 }, (_, i) => (i * 7919) >> 12));
let thrown = 0;
let size = 0;
let wrong = 0;
/** Long pieces that were given away. */
let given = 0;

const reader: SocketEvents = {
  receive(chunk, lent) {
    const long = chunk.length >= 32_768;
    if (!chunk.equals(sent.subarray(size, size + chunk.length))) wrong++;
    size += chunk.length;
    if (long && !lent && ++given === 2) throw new Error('of the application');
    return long;
  },
  receiveEnd() {},
  drained() {},
  broken() {},
  closed() {
    server.close();
    console.log(`read ${size} wrong ${wrong} thrown ${thrown}`);
  },
};

process.on('uncaughtException', ({ message }) => {
  if (message === 'of the application') thrown++;
  else console.log(message);
});

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  acceptLight(server, (light) => {
    light.attach(reader);
    light.end();
  });
  connect((server.address() as AddressInfo).port, '127.0.0.1')
    .resume()
    .end(sent);
});
