import { ConfigError, printable } from '@postern/core';
import type { Descriptor } from './descriptor.ts';

/** SD_LISTEN_FDS_START: sd_listen_fds(3). */
const FIRST = 3;
/** More sockets than any service has. */
const MOST = 65_536;
/** The last is of later versions of systemd. */
const VARIABLES = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

interface PassedSocket {
  readonly fd: number;
  /** What systemd calls it; undefined: it was passed without a name. */
  readonly name: string | undefined;
}

function refuse(message: string): never {
  throw new ConfigError('ERR_SYSTEMD', message);
}

/** The sockets that systemd, or what does as it does, has opened for this process. */
export class SystemdSockets {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #pid: number;
  /** As soon as they have been asked for. */
  #passed: readonly PassedSocket[] | undefined;
  readonly #taken = new Set<number>();

  constructor(environment: NodeJS.ProcessEnv, pid: number) {
    this.#environment = environment;
    this.#pid = pid;
  }

  /**
   * Each socket is given once. The variables that tell of them are taken out of the environment, so that no child takes
   * them for its own.
   * @param name as FileDescriptorName= says it; '': of the only one
   * @throws ConfigError ERR_SYSTEMD: there is no such socket, and why
   */
  take(name: string): Descriptor {
    if (this.#passed === undefined) {
      this.#passed = passedSockets(this.#environment, this.#pid);
      for (const variable of VARIABLES) delete this.#environment[variable];
    }
    const { fd } = find(this.#passed, name);
    const where = `systemd socket "${printable(name)}" (descriptor ${fd})`;
    if (this.#taken.has(fd)) refuse(`${where}: it is listened on already, or was: write a socket once`);
    this.#taken.add(fd);
    return { fd, where, todo: 'the .socket unit must have ListenStream= and not Accept=yes' };
  }
}

/** Those of this process. */
export const systemdSockets = new SystemdSockets(process.env, process.pid);

/** @throws ConfigError ERR_SYSTEMD */
function passedSockets(environment: NodeJS.ProcessEnv, pid: number): PassedSocket[] {
  const { LISTEN_FDS: count, LISTEN_PID: forPid, LISTEN_FDNAMES: names } = environment;
  if (count === undefined)
    refuse(
      'LISTEN_FDS is not set: systemd passed no sockets, or this was started by hand: start the .socket unit, or listen on another address',
    );
  if (forPid !== String(pid))
    refuse(
      `LISTEN_PID is ${forPid === undefined ? 'not set' : `"${printable(forPid)}"`}, and this is process ${pid}: systemd passed its sockets to another process: let ExecStart= start node itself, no shell and no npm`,
    );
  if (!/^[1-9][0-9]{0,4}$/.test(count) || Number(count) > MOST)
    refuse(`LISTEN_FDS="${printable(count)}": it is no number of sockets: let systemd set it`);
  const list = names?.split(':');
  if (list !== undefined && list.length !== Number(count))
    refuse(`LISTEN_FDNAMES="${printable(names as string)}": LISTEN_FDS is ${count}: let systemd set both`);
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: FIRST + i, name: list?.[i] }));
}

/** @throws ConfigError ERR_SYSTEMD */
function find(passed: readonly PassedSocket[], name: string): PassedSocket {
  const found = name === '' ? passed : passed.filter((socket) => socket.name === name);
  if (found.length === 1) return found[0];
  const asked = `systemd socket "${printable(name)}"`;
  const names = passed.map((socket) => socket.name ?? 'one without a name').join(', ');
  if (name === '')
    refuse(`systemd passed ${passed.length} sockets (${printable(names)}): name one of them: +systemd:NAME`);
  if (found.length === 0)
    refuse(
      `${asked}: systemd passed ${printable(names)}: write one of these, or FileDescriptorName=${printable(name)} in the .socket unit`,
    );
  return refuse(
    `${asked}: ${found.length} sockets have this name (descriptors ${found.map(({ fd }) => fd).join(', ')}): give each a .socket unit of its own, with FileDescriptorName=`,
  );
}
