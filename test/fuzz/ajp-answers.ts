/** What a container of AJP sends, made by hand: it shares nothing with the codec. */
import { hex, str, u16 } from '../../packages/ajp/test/writer.ts';

export function answer(...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([Buffer.from('AB'), u16(payload.length), payload]);
}

/** SEND_HEADERS. A header's name may be its code. */
export function headers(
  fields: readonly (readonly [name: string | number, value: string | null])[] = [],
  { status = 200, reason = 'OK' as string | null } = {},
): Buffer {
  const bytes = fields.flatMap(([name, value]) => [typeof name === 'number' ? u16(name) : str(name), str(value)]);
  return answer(Buffer.of(4), u16(status), str(reason), u16(fields.length), ...bytes);
}

/** SEND_BODY_CHUNK. */
export function chunk(text: string, { nul = true } = {}): Buffer {
  return answer(Buffer.of(3), u16(text.length), Buffer.from(text, 'latin1'), Buffer.alloc(nul ? 1 : 0));
}

/** GET_BODY_CHUNK. */
export const getBody = (length = 8186): Buffer => answer(Buffer.of(6), u16(length));
/** END_RESPONSE. */
export const end = (reuse = 1): Buffer => answer(Buffer.of(5, reuse));
export const FLUSH = chunk('');
export const CPONG = hex('41 42 00 01 09');
export const REPLY = Buffer.concat([headers([[0xa001, 'text/plain']]), chunk('hello'), end()]);
