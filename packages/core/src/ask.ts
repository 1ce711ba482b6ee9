import { LocalProtocolError } from './errors.ts';
import type { Role } from './exchange.ts';

/** @throws LocalProtocolError ERR_PROTOCOL_LACKS */
export function lacking(protocol: string, what: string): never {
  throw new LocalProtocolError('ERR_PROTOCOL_LACKS', `${protocol} has no ${what}`);
}

/** For a protocol whose requests all are for responders. @throws LocalProtocolError ERR_PROTOCOL_LACKS */
export function checkRole(role: Role | undefined, protocol: string): void {
  if (role !== undefined && role !== 'responder') lacking(protocol, `role, and so no ${role}`);
}
