import type { Role } from '@postern/core';

/** FastCGI 1.0 §8. */
export const VERSION = 1;
export const HEADER_LENGTH = 8;
export const MAX_CONTENT = 65_535;

export const RecordType = {
  BEGIN_REQUEST: 1,
  ABORT_REQUEST: 2,
  END_REQUEST: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
  GET_VALUES: 9,
  GET_VALUES_RESULT: 10,
  UNKNOWN_TYPE: 11,
} as const;

export const RoleNumber = { responder: 1, authorizer: 2, filter: 3 } as const;
/** The roles by their numbers. */
export const roleNames: readonly (Role | undefined)[] = [undefined, 'responder', 'authorizer', 'filter'];

/** Flags of BEGIN_REQUEST: the application leaves the connection open. */
export const KEEP_CONN = 1;

export const ProtocolStatus = { REQUEST_COMPLETE: 0, CANT_MPX_CONN: 1, OVERLOADED: 2, UNKNOWN_ROLE: 3 } as const;
