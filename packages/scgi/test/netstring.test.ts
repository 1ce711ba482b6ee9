import { describe, expect, it } from '@jest/globals';
import { ByteQueue } from '@postern/wire';
import { takeBlock, takeLength } from '../src/netstring.ts';
import { bytes } from './writer.ts';

const MOST = 131_072;

function queue(text: string): ByteQueue {
  const input = new ByteQueue();
  input.push(bytes(text));
  return input;
}

describe('takeLength', () => {
  it('waits for the colon and takes nothing before it', () => {
    const input = queue('131072');
    expect(takeLength(input, MOST)).toBeUndefined();
    expect(input.length).toBe(6);
    input.push(bytes(':x'));
    expect(takeLength(input, MOST)).toBe(131_072);
    expect(input.length).toBe(1);
  });

  it.each(['GET /', '-5:', '+5:', ' 5:', ':', ',', '\0', '70;', '70 :', '7a:', '\xb5:'])(
    'takes %j for no netstring',
    (text) => {
      expect(() => takeLength(queue(text), MOST)).toThrow(
        expect.objectContaining({ code: 'ERR_SCGI_NETSTRING', scope: 'connection' }),
      );
    },
  );

  it.each(['00', '07', '070:'])('refuses the leading zero of %j with 400', (text) => {
    expect(() => takeLength(queue(text), MOST)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_NETSTRING', scope: 'request', statusHint: 400 }),
    );
  });

  it.each(['131073:', '1111111', '99999999999:'])('refuses %j with 431', (text) => {
    expect(() => takeLength(queue(text), MOST)).toThrow(
      expect.objectContaining({ code: 'ERR_ENV_BYTES', scope: 'request', statusHint: 431, limit: 'maxEnvBytes' }),
    );
  });

  it('allows as many digits as the limit has', () => {
    expect(takeLength(queue('999:'), 1000)).toBe(999);
    expect(() => takeLength(queue('1001:'), 1000)).toThrow(expect.objectContaining({ code: 'ERR_ENV_BYTES' }));
    expect(takeLength(queue('1048576:'), 1_048_576)).toBe(1_048_576);
  });
});

describe('takeBlock', () => {
  it('waits for the comma', () => {
    const input = queue('abc');
    expect(takeBlock(input, 3)).toBeUndefined();
    input.push(bytes(',d'));
    expect(takeBlock(input, 3)?.toString()).toBe('abc');
    expect(input.length).toBe(1);
  });

  it('refuses another byte in its place with 400', () => {
    expect(() => takeBlock(queue('abc;'), 3)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_NETSTRING', scope: 'request', statusHint: 400 }),
    );
  });
});
