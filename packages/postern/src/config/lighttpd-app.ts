import { basename } from 'node:path';
import type { PeerOptions } from '@postern/core';
import { isLoopback, type ListenTarget } from '@postern/server';
import { type Backend, backendOf, programOf, refuseProgram } from './backend.ts';
import type { AppRole, StarterOptions } from './site.ts';
import { checkPath, quote } from './text.ts';

/** The module of lighttpd for each protocol, without mod_; it is the prefix of the module's settings as well. */
export const modules = { fastcgi: 'fastcgi', scgi: 'scgi', ajp: 'ajp13', uwsgi: 'scgi', http: 'proxy' } as const;
export type LighttpdProtocol = keyof typeof modules;
const lighttpdProtocols = Object.keys(modules) as LighttpdProtocol[];

/** An app, and how lighttpd gets to it. */
export interface LighttpdApp {
  readonly protocol: LighttpdProtocol;
  readonly role: AppRole;
  /** What lighttpd is in front of. */
  readonly title: string;
  /** What stands in the setting of the module about where it is, with a comma behind each. */
  readonly where: readonly string[];
  /** What lighttpd starts is said in front of that. */
  readonly started: boolean;
  /** It asks for a secret over AJP. */
  readonly secret: boolean;
}

/** lighttpd divides bin-path there into words, and knows no quotes. */
const divides = { found: /[ \t]/, named: 'a blank' };

/** @throws ConfigError ERR_OPTION: lighttpd cannot connect there, or start that; ERR_NOT_BUILT */
export function appOf(protocol: string, target: ListenTarget, options: StarterOptions): LighttpdApp {
  const { role = 'responder', program, peer } = options;
  if (target.transport === 'fd') {
    const where = startedBy(programOf('lighttpd', protocol, target, program));
    return {
      protocol: 'fastcgi',
      role,
      title: `${role === 'responder' ? 'an app' : 'an authorizer'} that it starts itself, on fastcgi+fd:0`,
      where,
      started: true,
      secret: false,
    };
  }
  const backend = backendOf('lighttpd', lighttpdProtocols, protocol, target);
  refuseProgram('lighttpd', backend.address, program);
  const address = `${backend.address}${protocol === 'ajp' ? '?peer=lighttpd' : ''}`;
  return {
    protocol: backend.protocol,
    role,
    title:
      role === 'responder'
        ? `an app that listens on ${address}`
        : `what an authorizer lets through that listens on ${address}`,
    where: connectedTo(backend.to),
    started: false,
    secret: protocol === 'ajp' && asksForSecret(backend.to, peer),
  };
}

/** @throws ConfigError ERR_OPTION */
function connectedTo(to: Backend['to']): string[] {
  if (!('socket' in to)) return [`"host" => "${to.host}",`, `"port" => ${to.port},`];
  checkPath('lighttpd', to.socket, 'listen');
  return [`"socket" => ${quote('lighttpd', to.socket)},`];
}

/** @throws ConfigError ERR_OPTION */
function startedBy(program: string): string[] {
  checkPath('lighttpd', program, 'program', divides);
  const name = basename(program).replace(/[^A-Za-z0-9]+/g, '-');
  return [
    `"bin-path" => ${quote('lighttpd', program)},`,
    `"socket" => "/run/lighttpd/postern-${name}.socket",`,
    '"max-procs" => 1,',
  ];
}

function asksForSecret(to: Backend['to'], { secret }: PeerOptions = {}): boolean {
  return secret !== undefined || !('socket' in to || isLoopback(to.host));
}

/** What stands in the block of a site, by paragraphs. */
export function appLines({ protocol, role, where, started, secret }: LighttpdApp): string[][] {
  return [
    [
      '# What the app writes goes out as it comes. Without this lighttpd sends a reply when it has the whole of it (event',
      '# streams), and one that broke off looks complete.',
      'server.stream-response-body = 1',
    ],
    role === 'responder' ? uploads(protocol) : [],
    secret ? secretNote : [],
    [
      ...(protocol === 'ajp' ? ajpNotes : []),
      ...(protocol === 'http' ? ['# WebSocket goes through.', 'proxy.header = ( "upgrade" => "enable" )'] : []),
      ...(protocol === 'uwsgi' ? ['scgi.protocol = "uwsgi"'] : []),
      ...(started ? startNotes : []),
      ...(role === 'authorizer' ? authorizerNotes : []),
      '# check-local: or lighttpd answers 404 by itself for what is no file.',
      ...(splitsPath(protocol) ? ['# fix-root-scriptname: or a part of the path is missing in PATH_INFO.'] : []),
      `${modules[protocol]}.server = ( "${splitsPath(protocol) ? '/' : ''}" => ((`,
      ...where.map((line) => `    ${line}`),
      ...(role === 'authorizer' ? ['    "mode" => "authorizer",'] : []),
      `    "check-local" => "disable"${splitsPath(protocol) ? ',' : ''}`,
      ...(splitsPath(protocol) ? ['    "fix-root-scriptname" => "enable"'] : []),
      ')) )',
    ],
  ];
}

/** The others send the path that the client asked for, and with "/" lighttpd would cut it at its first part. */
function splitsPath(protocol: LighttpdProtocol): boolean {
  return protocol !== 'ajp' && protocol !== 'http';
}

function uploads(protocol: LighttpdProtocol): string[] {
  const whole = '# lighttpd takes the whole of an upload before the app hears of it.';
  if (protocol === 'ajp')
    return [`${whole} It must: with 1 or 2 here mod_ajp13 stalls.`, 'server.stream-request-body = 0'];
  if (protocol === 'http') return [`${whole} With 1 the app gets it as it comes.`, '#server.stream-request-body = 1'];
  return [
    `${whole} With 1 the app gets it as it comes, but then`,
    '# lighttpd answers 411 to one of unknown length (chunked).',
    '#server.stream-request-body = 1',
  ];
}

const ajpNotes = [
  '# The app must listen with ?peer=lighttpd: a body comes in packets of another shape than that of the other servers.',
  '# lighttpd sends the decoded path, and answers 400 to PATCH and to request headers above 8 KB by itself.',
];

const secretNote = [
  '# The app asks for its secret: write it here, and let only root read this file.',
  '#setenv.set-environment = ( "AJP13_SECRET" => "WORD" )',
];

const startNotes = [
  '# bin-path: an executable file that lighttpd may run, with two lines (and the whole paths of your machine):',
  '#     #!/bin/sh',
  '#     exec /usr/local/bin/postern serve /srv/app/app.mjs',
  '# lighttpd listens on the socket, with a number added to its name, and starts the program with it as descriptor 0.',
  '# max-procs: one process has many requests at once.',
];

const authorizerNotes = [
  '# The authorizer is asked for each request, without its body. Any answer but 200 is what the client gets. After a 200',
  '# lighttpd goes on: to a file, or to an app that follows in the list, which gets the variables of the authorizer:',
  '#     ), ( "socket" => "/run/app.sock", "check-local" => "disable", "fix-root-scriptname" => "enable" )) )',
];
