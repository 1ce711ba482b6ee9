import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports of loopback that were free a moment ago, all different. They are below those that the system gives to outgoing
 * connections, of which there are many before the last one is bound.
 */
export async function freePorts(count) {
  const held = [];
  while (held.length < count) {
    const server = await hold(randomInt(20_000, 32_000));
    if (server !== undefined) held.push(server);
  }
  const ports = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

function hold(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
