import { ConfigError, printable } from '@postern/core';
import type { ListenTarget } from '@postern/server';
import { formatAddress } from '../address.ts';
import type { AppRole } from './site.ts';

/** What each module of Apache speaks, by the name behind mod_proxy_ or mod_. */
const modules = {
  fcgi: 'fastcgi',
  scgi: 'scgi',
  ajp: 'ajp',
  uwsgi: 'uwsgi',
  http: 'http',
  fcgid: 'fastcgi',
  authnz_fcgi: 'fastcgi',
} as const;
export type ApacheModule = keyof typeof modules;
/** The modules that pass requests on to an app: their names are the schemes of its addresses as well. */
export type ProxyModule = Exclude<ApacheModule, 'fcgid' | 'authnz_fcgi'>;
export type ApacheProtocol = (typeof modules)[ApacheModule];
export const apacheProtocols: readonly ApacheProtocol[] = ['fastcgi', 'scgi', 'ajp', 'uwsgi', 'http'];

/** What is said of an app, by the module that leads to it. */
export interface ApacheParts {
  /** What Apache is in front of. */
  readonly title: string;
  /** The modules that it needs, each after those that it needs itself. */
  readonly modules: readonly string[];
  /** What stands before the site. */
  readonly before?: readonly string[];
  /** What stands in the site, by paragraphs. */
  readonly lines: readonly (readonly string[])[];
}

/** What of an app the choice depends on. */
export interface ModuleChoice {
  readonly protocol: string;
  readonly target: ListenTarget;
  readonly role: AppRole | undefined;
  /** `fcgi`, `apache:fcgi` or `mod_proxy_fcgi`: what --module says, where it is given. */
  readonly asked: string | undefined;
}

/**
 * The module of Apache for an app.
 * @throws ConfigError ERR_OPTION: there is no such module, or it is not for this protocol, address or role
 */
export function apacheModule({ protocol, target, role, asked }: ModuleChoice): ApacheModule | undefined {
  const name = asked === undefined ? undefined : nameOf(asked);
  const authorizer = name === 'authnz_fcgi' && protocol === 'fastcgi' ? 'authorizer' : undefined;
  const module = moduleFor(protocol, target, role ?? authorizer);
  if (asked === undefined || name === undefined || module === undefined) return module;
  if (name === module || (name === protocol && module !== 'authnz_fcgi')) return module;
  const where = `--module ${/^[\w:]+$/.test(asked) ? asked : `"${printable(asked)}"`}`;
  throw new ConfigError('ERR_OPTION', `${where}: ${mismatch(name, module, formatAddress(protocol, target), role)}`);
}

/** What a module speaks; undefined: there is none of this name. */
export function spokenBy(asked: string): ApacheProtocol | undefined {
  const name = nameOf(asked);
  return Object.hasOwn(modules, name)
    ? modules[name as ApacheModule]
    : apacheProtocols.find((protocol) => protocol === name);
}

function nameOf(asked: string): string {
  return asked.replace(/^apache:/, '').replace(/^mod_(?:proxy_)?/, '');
}

function moduleFor(protocol: string, target: ListenTarget, role: AppRole | undefined): ApacheModule | undefined {
  if (role === 'authorizer') return 'authnz_fcgi';
  if (target.transport === 'fd') return 'fcgid';
  return (Object.keys(modules) as ApacheModule[]).find((one) => modules[one] === protocol);
}

function mismatch(name: string, module: ApacheModule, address: string, role: AppRole | undefined): string {
  const spoken = spokenBy(name);
  if (spoken === undefined)
    return `there is no such module: write one of ${Object.keys(modules).join(', ')}, or leave it out`;
  if (spoken !== modules[module])
    return `it speaks ${spoken}, and the app listens on ${address}: write ${module}, or leave it out`;
  if (name === 'fcgid')
    return `it starts the app itself, and this one listens on ${address}: write --listen fastcgi+fd:0 --program FILE, or ${module}`;
  if (name === 'authnz_fcgi') return `it asks an authorizer, and --role says ${role}: leave one of them out`;
  return `it is not for ${role === undefined ? address : `--role ${role}`}: write ${module}, or leave it out`;
}
