import { describe, expect, it } from '@jest/globals';
import { checkRole, lacking } from '../src/ask.ts';

describe('what a protocol does not have', () => {
  it('is told by its code, the protocol, and the thing', () => {
    expect(() => lacking('AJP', 'values')).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_PROTOCOL_LACKS', message: 'AJP has no values' }),
    );
  });

  it('is any role but that of a responder', () => {
    checkRole(undefined, 'AJP');
    checkRole('responder', 'AJP');
    for (const role of ['authorizer', 'filter'] as const)
      expect(() => checkRole(role, 'AJP')).toThrow(`AJP has no role, and so no ${role}`);
  });
});
