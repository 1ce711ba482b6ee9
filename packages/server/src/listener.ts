import { type AddressInfo, createServer, type Server } from 'node:net';
import { ConfigError } from '@postern/core';
import type { BoundAddress, ListenTarget } from './address.ts';
import { allowList, isAllowed, isLoopback } from './allow.ts';
import { checkDescriptor, type Descriptor, descriptorError, numberedDescriptor } from './descriptor.ts';
import { acceptLight, type FramedSocket } from './light-socket.ts';
import { systemdSockets } from './systemd-sockets.ts';
import { bindUnixSocket, removeUnixSocket } from './unix-socket.ts';

type TcpTarget = ListenTarget & { transport: 'tcp' };

const BACKLOG = 511;

/** One bound address. */
export interface Listener {
  readonly address: BoundAddress;
  readonly server: Server;
  /** Stops accepting; the file of a unix socket goes away if it is still ours. */
  close(): void;
}

/** Who hears of what comes in. */
export interface Doorkeeper {
  /** Anybody may connect: no `allow` is asked for off loopback. */
  readonly open?: boolean;
  /** Nothing but framed protocols comes in: connections may be light ones. */
  readonly framed?: boolean;
  accept(socket: FramedSocket): void;
  /** A peer that `allow` does not name: its connection is closed already. */
  turnedAway(address: string): void;
  /** The system could not hand over a connection (EMFILE, ECONNABORTED …); listening goes on. */
  acceptFailed(error: Error): void;
}

/**
 * Binds and accepts.
 * @throws ConfigError: what cannot be bound, and what to do; nothing is left behind
 */
export async function openListener(target: ListenTarget, keeper: Doorkeeper): Promise<Listener> {
  // a FIN behind the last byte of a request must not close our half before it is answered
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  switch (target.transport) {
    case 'unix': {
      enter(server, keeper);
      const file = await bindUnixSocket(server, target);
      // as long as it is open nobody takes it for a stale one, and its inode is no other file's
      return opened(server, keeper, { transport: 'unix', path: target.path }, () => removeUnixSocket(file));
    }
    case 'fd': {
      const { fd, allow } = target;
      enter(server, keeper, allow === undefined ? undefined : checkedDoor(allow, keeper));
      await bindDescriptor(server, numberedDescriptor(fd));
      return opened(server, keeper, { transport: 'fd', fd });
    }
    case 'systemd': {
      const { name } = target;
      enter(server, keeper);
      await bindDescriptor(server, systemdSockets.take(name));
      return opened(server, keeper, { transport: 'systemd', name });
    }
    case 'tcp': {
      const { host, port, backlog = BACKLOG } = target;
      enter(server, keeper, tcpDoor(target, keeper));
      await bind(server, { host, port, backlog }, (error) => tcpError(target, error));
      return opened(server, keeper, { transport: 'tcp', host, port: (server.address() as AddressInfo).port });
    }
  }
}

/** What comes in goes through the door. */
function enter(server: Server, keeper: Doorkeeper, door = (socket: FramedSocket): void => keeper.accept(socket)): void {
  server.on('connection', door);
  if (keeper.framed) server.once('listening', () => acceptLight(server, door));
}

function opened(server: Server, keeper: Doorkeeper, address: BoundAddress, before?: () => void): Listener {
  server.on('error', (error) => keeper.acceptFailed(error));
  return {
    address,
    server,
    close() {
      before?.();
      server.close();
    },
  };
}

function tcpDoor(target: TcpTarget, keeper: Doorkeeper): (socket: FramedSocket) => void {
  if (target.allow === undefined) {
    if (keeper.open || isLoopback(target.host)) return (socket) => keeper.accept(socket);
    throw new ConfigError(
      'ERR_ADDRESS_OPEN',
      `${nameOf(target)}: other machines can connect there and say who the client is: add ?allow=CIDR with the web server's address, or listen on 127.0.0.1`,
    );
  }
  return checkedDoor(target.allow, keeper);
}

function checkedDoor(allow: readonly string[], keeper: Doorkeeper): (socket: FramedSocket) => void {
  const list = allowList(allow);
  return (socket) => {
    if (isAllowed(list, socket.remoteAddress)) keeper.accept(socket);
    else {
      keeper.turnedAway(socket.remoteAddress ?? 'a peer without an address');
      socket.destroy();
    }
  };
}

function bind(
  server: Server,
  options: { host?: string; port?: number; fd?: number; backlog?: number },
  explain: (error: NodeJS.ErrnoException) => ConfigError,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(explain(error as NodeJS.ErrnoException));
    server.once('error', failed);
    try {
      server.listen(options, () => {
        server.off('error', failed);
        resolve();
      });
    } catch (error) {
      failed(error);
    }
  });
}

/** @throws ConfigError ERR_FD */
async function bindDescriptor(server: Server, descriptor: Descriptor): Promise<void> {
  const inode = checkDescriptor(descriptor);
  await bind(server, { fd: descriptor.fd }, (error) => descriptorError(descriptor, inode, error));
}

function nameOf({ host, port }: TcpTarget): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function tcpError(target: TcpTarget, error: NodeJS.ErrnoException): ConfigError {
  const name = nameOf(target);
  const options = { cause: error };
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
    case 'ERR_SOCKET_BAD_PORT':
      return new ConfigError('ERR_ADDRESS', `${name}: a port is a whole number from 0 to 65535`, options);
    default:
      return new ConfigError(
        'ERR_ADDRESS_UNAVAILABLE',
        `${name}: this machine has no such address (${error.code ?? error.message}): listen on one that it has`,
        options,
      );
  }
}
