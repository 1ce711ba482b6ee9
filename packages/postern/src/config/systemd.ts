import { isIP } from 'node:net';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, printable } from '@postern/core';
import { type Address, formatAddress } from '../address.ts';
import { authority } from './backend.ts';
import { fileOf } from './text.ts';

export interface SystemdOptions {
  /** The module of the app; without it a place that is to be changed. */
  readonly program?: string;
}

/** What of an address the socket has; the rest is the app's. */
const socketKeys = ['mode', 'owner', 'group', 'backlog', 'allow'];
/** Keys that name a file which the user of the app need not be able to read. */
const fileKeys = ['secret-file', 'cert', 'key'];
const PLACE = '/srv/app/app.mjs';
const POSTERN = fileURLToPath(new URL('../../bin/postern.js', import.meta.url));

/**
 * A .socket and a .service unit for an app that is to listen on an address.
 * @param listen the address as it was given
 * @throws ConfigError ERR_OPTION: systemd cannot listen there, or a path cannot be written in a unit
 */
export function systemdUnits(listen: string, address: Address, { program }: SystemdOptions = {}): string {
  const name = unitName(address);
  const module = resolve(program ?? PLACE);
  checkPath('program', module);
  if (address.peer.secret !== undefined && !listen.includes('secret-file='))
    throw refuse(listen, 'AJP_SECRET of this shell does not reach the service: name a file, ?secret-file=FILE');
  const { query, credentials } = appKeys(listen);
  const app = escaped(formatAddress(address.protocol, { transport: 'systemd', name })) + query;
  const paths = [process.execPath, POSTERN, module];
  const [node, postern, file] = paths.map(escaped);
  const command = [node, postern, 'serve', file, '--listen', app].map(quoted).join(' ');
  return fileOf([
    [
      `# Two units for an app that listens on ${address.text}. Put each into the file that its first line names,`,
      `# then: systemctl daemon-reload && systemctl enable --now ${name}.socket`,
    ],
    [`# /etc/systemd/system/${name}.socket`, '[Unit]', `Description=The socket of ${name}`],
    ['[Socket]', ...socketLines(listen, address), `FileDescriptorName=${name}`],
    ['[Install]', 'WantedBy=sockets.target'],
    [
      `# /etc/systemd/system/${name}.service`,
      '[Unit]',
      `Description=${name}, served by Postern`,
      '# The socket stays open while the service starts again: who connects in the meantime waits, and is served.',
      `Requires=${name}.socket`,
    ],
    [
      '[Service]',
      'Type=exec',
      ...(program === undefined ? [`# ${PLACE} is the module of your app.`] : []),
      '# Node.js itself is started, no shell and no npm: systemd passes the socket to this process alone.',
      `ExecStart=${command}`,
      ...credentials,
      'Environment=NODE_ENV=production',
      'Restart=on-failure',
      'RestartSec=1',
      '# What runs may end first: --grace, 30 s.',
      'TimeoutStopSec=35',
      'KillMode=mixed',
    ],
    [
      '# A user that is there while the service runs. An app that has files of its own takes User= of their owner instead, or',
      '# StateDirectory=, and ReadWritePaths= for other folders that it writes to.',
      'DynamicUser=yes',
      ...hardening(paths),
    ],
  ]);
}

/** Of the socket's file, without its ending. */
function unitName({ target }: Address): string {
  if (target.transport !== 'unix') return 'app';
  const name = basename(target.path).replace(/\.(?:sock|socket)$/, '');
  return /^[\w.-]{1,64}$/.test(name) && !name.startsWith('.') && !name.startsWith('-') ? name : 'app';
}

function refuse(listen: string, todo: string): ConfigError {
  return new ConfigError('ERR_OPTION', `--listen ${printable(listen)}: ${todo}`);
}

/** @throws ConfigError ERR_OPTION */
function socketLines(listen: string, { target }: Address): string[] {
  const backlog = 'backlog' in target && target.backlog !== undefined ? [`Backlog=${target.backlog}`] : [];
  if (target.transport === 'tcp') return [...tcpLines(listen, target), ...backlog];
  if (target.transport !== 'unix')
    throw refuse(listen, 'systemd opens the socket: give the address that the web server connects to');
  checkPath('listen', target.path);
  const { path, mode = 0o660, owner, group } = target;
  return [
    `ListenStream=${path.replaceAll('%', '%%')}`,
    ...(owner === undefined ? [] : [`SocketUser=${owner}`]),
    ...(group === undefined
      ? ['# The group of the web server, which is to connect.', '#SocketGroup=www-data']
      : [`SocketGroup=${group}`]),
    `SocketMode=${mode.toString(8).padStart(4, '0')}`,
    'RemoveOnStop=yes',
    ...backlog,
  ];
}

function tcpLines(listen: string, { host, port, allow }: Address['target'] & { transport: 'tcp' }): string[] {
  const ip = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(ip) === 0) throw refuse(listen, 'systemd listens on addresses, not on names: write the address');
  if (port === 0) throw refuse(listen, 'port 0 is any free port, which no web server could know: choose one');
  return [
    `ListenStream=${authority(ip, port)}`,
    'NoDelay=yes',
    ...(allow === undefined ? [] : ['# Who may connect.', 'IPAddressDeny=any', `IPAddressAllow=${allow.join(' ')}`]),
  ];
}

/** What of the query stays with the address of the app, escaped, and how it gets at files that it may not read. */
function appKeys(listen: string): { query: string; credentials: string[] } {
  const credentials: string[] = [];
  const kept: string[] = [];
  for (const [key, value] of new URLSearchParams((listen.split('?')[1] ?? '').replaceAll('+', '%2B'))) {
    if (socketKeys.includes(key)) continue;
    if (fileKeys.includes(key)) {
      const path = resolve(value);
      checkPath('listen', path);
      credentials.push(`LoadCredential=${key}:${path.replaceAll('%', '%%')}`);
      kept.push(`${key}=%d/${key}`);
    } else kept.push(value === '' ? key : `${key}=${escaped(encodeURIComponent(value).replaceAll('%2C', ','))}`);
  }
  const lines = ['# The app reads these although its user may not read the files.', ...credentials];
  return { query: kept.length === 0 ? '' : `?${kept.join('&')}`, credentials: credentials.length === 0 ? [] : lines };
}

/** What systemd would put something else for. */
function escaped(text: string): string {
  return text.replace(/[%$]/g, '$&$&');
}

/** A word of a command that is escaped. */
function quoted(text: string): string {
  return /[\s"'\\;]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text;
}

/** @throws ConfigError ERR_OPTION */
function checkPath(flag: 'listen' | 'program', path: string): void {
  if (/[\0-\x1f\x7f]|[\s\\]$/.test(path))
    throw new ConfigError(
      'ERR_OPTION',
      `--${flag} "${printable(path)}": a unit has no way to write a control character, or a blank or \\ at the end: choose another path`,
    );
}

function hardening(paths: readonly string[]): string[] {
  const inHome = paths.some((path) => /^\/(?:home|root|run\/user)\//.test(path));
  return [
    `ProtectHome=${inHome ? 'read-only' : 'yes'}`,
    'ProtectSystem=strict',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectProc=invisible',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'LockPersonality=yes',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallErrorNumber=EPERM',
    'UMask=0077',
    '# Not MemoryDenyWriteExecute=: Node.js makes machine code as it runs.',
  ];
}
