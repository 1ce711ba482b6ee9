import { fstatSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { ConfigError } from '@postern/core';
import type { BoundAddress, ListenTarget } from './address.ts';
import { allowList, isAllowed, isLoopback } from './allow.ts';
import { bindUnixSocket, removeUnixSocket } from './unix-socket.ts';

/** One bound address. */
export interface Listener {
  readonly address: BoundAddress;
  readonly server: Server;
  /** Stops accepting; the file of a unix socket goes away if it is still ours. */
  close(): void;
}

/**
 * Binds and accepts.
 * @throws ConfigError: what cannot be bound, and what to do; nothing is left behind
 */
export async function openListener(
  target: ListenTarget,
  maxConnections: number,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  // a FIN behind the last byte of a request must not close our half before it is answered
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.maxConnections = maxConnections;
  if (target.transport === 'unix') {
    const file = await bindUnixSocket(server, target);
    server.on('connection', accept);
    return opened(server, { transport: 'unix', path: target.path }, () => removeUnixSocket(file));
  }
  if (target.transport === 'fd') {
    checkDescriptor(target.fd);
    await bind(server, { fd: target.fd }, `fd ${target.fd}`);
    server.on('connection', accept);
    return opened(server, { transport: 'fd', fd: target.fd });
  }
  const { host, port, allow } = target;
  if (allow === undefined && !isLoopback(host)) {
    throw new ConfigError(
      'ERR_ADDRESS_OPEN',
      `${host}:${port}: other machines can connect there and say who the client is: add ?allow=CIDR with the web server's address, or listen on 127.0.0.1`,
    );
  }
  const list = allow === undefined ? undefined : allowList(allow);
  await bind(server, { host, port, backlog: target.backlog ?? 511 }, `${host}:${port}`);
  server.on('connection', (socket: Socket) => {
    if (list !== undefined && !isAllowed(list, socket.remoteAddress)) socket.destroy();
    else accept(socket);
  });
  const bound = server.address() as AddressInfo;
  return opened(server, { transport: 'tcp', host, port: bound.port });
}

function opened(server: Server, address: BoundAddress, after?: () => void): Listener {
  // an accept that fails (EMFILE, ECONNABORTED) is no end of listening
  server.on('error', () => {});
  return {
    address,
    server,
    close() {
      server.close();
      after?.();
    },
  };
}

function bind(
  server: Server,
  options: { host?: string; port?: number; fd?: number; backlog?: number },
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(bindError(error, name));
    server.once('error', failed);
    server.listen(options, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

function bindError(error: NodeJS.ErrnoException, name: string): ConfigError {
  const options = { cause: error };
  if (name.startsWith('fd '))
    return new ConfigError(
      'ERR_FD',
      `${name}: not a listening socket (${error.code}): start it by what opens the socket`,
      options,
    );
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError(
        'ERR_ADDRESS_IN_USE',
        `${name}: another process listens there: stop it or choose another port`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
      return new ConfigError(
        'ERR_ADDRESS_DENIED',
        `${name}: no permission to listen there: choose a port above 1023`,
        options,
      );
    default:
      return new ConfigError(
        'ERR_ADDRESS_UNAVAILABLE',
        `${name}: ${error.code}: this machine has no such address`,
        options,
      );
  }
}

function checkDescriptor(fd: number): void {
  let socket = false;
  try {
    socket = fstatSync(fd).isSocket();
  } catch {
    // said below
  }
  if (!socket)
    throw new ConfigError(
      'ERR_FD',
      `fd ${fd}: not a socket: start it by what opens the socket (spawn-fcgi, mod_fcgid, lighttpd bin-path)`,
    );
}
