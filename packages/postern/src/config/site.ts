import { resolve } from 'node:path';
import { ConfigError, type PeerOptions, printable } from '@postern/core';

/** What a FastCGI web server asks an app for: the reply, or whether a request may go on. */
export const appRoles = ['responder', 'authorizer'] as const;
export type AppRole = (typeof appRoles)[number];

/** What a site is told to be, whichever web server is in front. */
export interface SiteOptions {
  /** NAME[:PORT]: the host name of the site, and the port that the web server listens on. Without it: every name, port 80. */
  readonly serverName?: string;
  /** A folder with files that the web server serves itself. */
  readonly root?: string;
  /** What the query of the app's address says. */
  readonly peer?: PeerOptions;
}

/** What Apache and lighttpd can be told beside. */
export interface StarterOptions extends SiteOptions {
  /** Without it a responder. */
  readonly role?: AppRole;
  /** The executable file that the web server starts, with its listening socket as descriptor 0. */
  readonly program?: string;
}

/** The names of a site: `www.example.org`, `*.example.org` (all below), `.example.org` (it and all below), `example.*`. */
export interface SiteName {
  readonly before: '' | '.' | '*.';
  readonly name: string;
  readonly after: '' | '.*';
}

export interface Site {
  readonly name: SiteName | undefined;
  readonly port: number | undefined;
  /** Absolute. */
  readonly root: string | undefined;
}

/** @throws ConfigError ERR_OPTION: the server name cannot be understood */
export function readSite({ serverName, root }: SiteOptions): Site {
  return {
    ...(serverName === undefined ? { name: undefined, port: undefined } : readServerName(serverName)),
    root: root === undefined ? undefined : resolve(root),
  };
}

function readServerName(text: string): { name: SiteName; port: number | undefined } {
  const [, host, port] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const parts = /^(\*\.|\.)?([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)(\.\*)?$/.exec(host ?? '');
  if (parts === null || host.length > 253 || (parts[1] !== undefined && parts[3] !== undefined)) {
    throw refuse(
      text,
      'write a host name in ASCII, such as www.example.org or *.example.org, and a port if it is not 80',
    );
  }
  return {
    name: {
      before: (parts[1] ?? '') as SiteName['before'],
      name: parts[2].toLowerCase(),
      after: (parts[3] ?? '') as SiteName['after'],
    },
    port: port === undefined ? undefined : readPort(port, text),
  };
}

function readPort(port: string, text: string): number {
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65_535)
    throw refuse(text, `its port "${printable(port)}" must be a whole number from 1 to 65535`);
  if (number === 443)
    throw refuse(
      text,
      'port 443 is for TLS, which needs a certificate: leave the port out, and add TLS to what is printed',
    );
  return number;
}

function refuse(text: string, todo: string): ConfigError {
  return new ConfigError('ERR_OPTION', `--server-name "${printable(text)}": ${todo}`);
}

/** As it was given, without the port. */
export function formatName({ before, name, after }: SiteName): string {
  return before + name + after;
}
