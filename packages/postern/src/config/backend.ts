import { resolve } from 'node:path';
import { ConfigError } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { formatAddress } from '../address.ts';

/** How people write the names of the web servers. */
export type WebServerTitle = 'nginx' | 'Apache' | 'lighttpd' | 'Caddy' | 'HAProxy';

/** Where a web server connects. */
export interface Backend<Protocol extends string = string> {
  readonly protocol: Protocol;
  /** The address that the app listens on, without its query. */
  readonly address: string;
  readonly to: { readonly socket: string } | { readonly host: string; readonly port: number };
}

/** An app that listens everywhere is connected to on loopback. */
const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/**
 * Where a web server connects for an app that listens on an address.
 * @param spoken the protocols of the web server
 * @throws ConfigError ERR_OPTION: the web server does not speak the protocol, or cannot connect there; ERR_NOT_BUILT
 */
export function backendOf<Protocol extends string>(
  server: WebServerTitle,
  spoken: readonly Protocol[],
  protocol: string,
  target: ListenTarget,
): Backend<Protocol> {
  const address = formatAddress(protocol, target);
  if (!isOneOf(spoken, protocol)) throw notSpoken(server, spoken, protocol, address);
  const refuse = (why: string) => new ConfigError('ERR_OPTION', `--listen ${address}: ${why}`);
  if (target.transport === 'unix') return { protocol, address, to: { socket: target.path } };
  if (target.transport !== 'tcp')
    throw refuse(
      target.transport === 'systemd'
        ? `${server} cannot connect to a name: give the address that the .socket unit has (ListenStream=)`
        : `${server} cannot connect to an inherited descriptor: give the address of the socket behind it`,
    );
  if (target.port === 0) throw refuse(`port 0 is any free port, which ${server} cannot know: choose one`);
  return { protocol, address, to: { host: everywhere[target.host] ?? target.host, port: target.port } };
}

/**
 * The program that a web server starts for an app on fastcgi+fd:0, absolute.
 * @throws ConfigError ERR_OPTION: no program is named, or it is another address on a descriptor
 */
export function programOf(
  server: WebServerTitle,
  protocol: string,
  target: ListenTarget & { transport: 'fd' },
  program: string | undefined,
): string {
  const where = `--listen ${formatAddress(protocol, target)}`;
  if (protocol !== 'fastcgi' || target.fd !== 0)
    throw new ConfigError('ERR_OPTION', `${where}: ${server} gives a program that it starts fastcgi+fd:0: write that`);
  if (program === undefined)
    throw new ConfigError(
      'ERR_OPTION',
      `${where}: ${server} starts the app itself there: name its executable file with --program FILE`,
    );
  return resolve(program);
}

/** @throws ConfigError ERR_OPTION: a program is named for an app that listens by itself */
export function refuseProgram(server: WebServerTitle, address: string, program: string | undefined): void {
  if (program === undefined) return;
  throw new ConfigError(
    'ERR_OPTION',
    `--listen ${address}: the app listens there by itself: leave --program out, or write fastcgi+fd:0 for one that ${server} starts`,
  );
}

function notSpoken(server: WebServerTitle, spoken: readonly string[], protocol: string, address: string): ConfigError {
  if (protocol === 'https')
    return new ConfigError(
      'ERR_NOT_BUILT',
      `--listen ${address}: postern config has no TLS between web server and app yet: listen with http, on loopback or a unix socket`,
    );
  const choice = `${spoken.slice(0, -1).join(', ')} or ${spoken.at(-1)}`;
  if (protocol === 'ajp')
    return new ConfigError(
      'ERR_OPTION',
      `--listen ${address}: ${server} does not speak AJP, Apache and lighttpd do: take one of them, or ${choice}`,
    );
  return new ConfigError('ERR_OPTION', `--listen ${address}: ${server} does not speak ${protocol}: use ${choice}`);
}

function isOneOf<T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}

/** HOST:PORT, with brackets around an IPv6 address. */
export function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
