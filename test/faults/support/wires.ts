import { ajp } from '../../../packages/ajp/src/index.ts';
import { fastcgi } from '../../../packages/fastcgi/src/index.ts';
import { scgi } from '../../../packages/scgi/src/index.ts';
import { http, type Listened } from '../../../packages/server/src/index.ts';
import { type OneOfFive, requestInFive, stdin } from '../../../packages/testkit/src/index.ts';
import { uwsgi } from '../../../packages/uwsgi/src/index.ts';

/** What a server is told to speak. */
export const protocols: Record<OneOfFive, Listened> = { fastcgi, scgi, ajp, uwsgi, http: http() };

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

/** The head of a request; with `length` it says that so many bytes of a body follow. */
export function headInFive(protocol: OneOfFive, path: string, length = 0): Buffer {
  const whole = requestInFive(protocol, path, '', length);
  return whole.subarray(0, whole.length - endInFive(protocol).length);
}

/** A piece of a body, as it is sent. */
export function bodyInFive(protocol: OneOfFive, bytes: Uint8Array): Buffer {
  if (protocol === 'fastcgi') return stdin(bytes);
  if (protocol === 'ajp')
    return Buffer.concat([Buffer.of(0x12, 0x34), u16(bytes.length + 2), u16(bytes.length), bytes]);
  return Buffer.from(bytes);
}

/** What ends a body whose length was told before. */
export function endInFive(protocol: OneOfFive): Buffer {
  return protocol === 'fastcgi' ? stdin() : Buffer.alloc(0);
}
