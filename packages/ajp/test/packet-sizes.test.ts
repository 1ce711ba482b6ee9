import { describe, expect, it } from '@jest/globals';
import { packetSizes } from '../src/packet-sizes.ts';

describe('packetSizes', () => {
  it('takes off what stands around the bytes', () => {
    expect(packetSizes()).toEqual({ packet: 8192, payload: 8188, requestPiece: 8186, replyPiece: 8184 });
    expect(packetSizes(65_536)).toEqual({ packet: 65_536, payload: 65_532, requestPiece: 65_530, replyPiece: 65_528 });
  });

  it.each([0, 8191, 65_537, 8192.5, Number.NaN, -8192])('refuses %d', (size) => {
    expect(() => packetSizes(size)).toThrow(expect.objectContaining({ name: 'ConfigError', code: 'ERR_OPTION' }));
  });
});
