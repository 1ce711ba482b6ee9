import { ConfigError, type Exchange, type Handler, type Role } from '@postern/core';
import { type Interface, type PreparedApp, prepareApp } from './interface.ts';

/** What a module or a caller gives to be served: an application, and what answers FastCGI's other roles. */
export interface RoleExports {
  readonly app?: unknown;
  readonly authorizer?: unknown;
  readonly filter?: unknown;
}

/**
 * Makes ready what is served in each role: see `prepareApp`.
 * @param name what messages call the application
 * @throws ConfigError as `prepareApp`; there is an application to be named where nothing was given
 */
export async function prepareRoles(given: RoleExports, forced?: Interface, name?: string): Promise<PreparedApp> {
  const { app, authorizer, filter } = given;
  if (authorizer === undefined && filter === undefined) return prepareApp(app, forced, name);
  const parts: Partial<Record<Role, PreparedApp>> = {};
  if (app !== undefined) parts.responder = await prepareApp(app, forced, name);
  for (const [role, part] of [
    ['authorizer', authorizer],
    ['filter', filter],
  ] as const) {
    if (part !== undefined) parts[role] = await prepareBeside(part, forced, name, role);
  }
  const roles = Object.keys(parts) as Role[];
  const [first] = Object.values(parts);
  const closes = Object.values(parts).flatMap(({ close }) => close ?? []);
  return {
    interface: first.interface,
    handler: byRole(parts),
    roles,
    listener: parts.responder?.listener,
    close: closes.length === 0 ? undefined : () => Promise.all(closes.map(async (close) => close())),
  };
}

async function prepareBeside(
  part: unknown,
  forced: Interface | undefined,
  name: string | undefined,
  role: Role,
): Promise<PreparedApp> {
  if (name === undefined) return prepareApp(part, forced, `the ${role}`, role);
  try {
    return await prepareApp(part, forced, `${role} of ${name}`, role);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code === 'ERR_APP_LOAD') throw error;
    const hint = `its name makes this export ${aRole(role)}: rename it where it is none`;
    throw new ConfigError(error.code, `${error.message}; ${hint}`, { cause: error });
  }
}

function aRole(role: Role): string {
  return `${role === 'authorizer' ? 'an' : 'a'} ${role}`;
}

/** The protocol gives no exchange of a role that is not there. */
function byRole(parts: Partial<Record<Role, PreparedApp>>): Handler {
  const handlers: Partial<Record<Role, Handler>> = {
    responder: parts.responder?.handler,
    authorizer: parts.authorizer?.handler,
    filter: parts.filter?.handler,
  };
  return function handleByRole(exchange: Exchange): unknown {
    return (handlers[exchange.role] as Handler)(exchange);
  };
}

/**
 * Without an application there is nothing that another protocol than FastCGI could ask.
 * @throws ConfigError ERR_ROLE
 */
export function refuseWithoutResponder({ roles = ['responder'] }: PreparedApp, protocol: string): void {
  if (protocol === 'fastcgi' || roles.includes('responder')) return;
  throw new ConfigError(
    'ERR_ROLE',
    `${protocol} cannot serve ${roles.map(aRole).join(' and ')} without an app: FastCGI alone has roles: listen on fastcgi://127.0.0.1:9000, or export an app too`,
  );
}
