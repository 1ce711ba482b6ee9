import { cutAt } from '@postern/testkit';
import fc from 'fast-check';
import { lengths } from '../mutations.ts';

/** A valid conversation in pieces, and what must be understood of it. */
export interface Case {
  readonly chunks: readonly Uint8Array[];
  readonly expected: unknown;
}

/** What one decoder must understand, whatever is in it and wherever it is cut. */
export interface Valid {
  readonly cases: fc.Arbitrary<Case>;
  /** What it does understand. */
  decode(chunks: readonly Uint8Array[]): unknown;
}

/** Mostly small, now and then where something changes, rarely large: large ones cost as much as a hundred others. */
export function sizes(most: number): fc.Arbitrary<number> {
  const special = lengths.filter((length) => length <= most);
  const large = special.filter((length) => length > 1000);
  return fc.oneof(
    { weight: 60, arbitrary: fc.nat(Math.min(20, most)) },
    { weight: 36, arbitrary: fc.constantFrom(...special.filter((length) => length <= 1000)) },
    { weight: 2, arbitrary: fc.nat(Math.min(2000, most)) },
    { weight: large.length > 0 ? 2 : 0, arbitrary: fc.constantFrom(...(large.length > 0 ? large : [0])) },
  );
}

/** `length` characters from those of the alphabet; each number gives another text. */
function textOf(alphabet: string, length: number, salt: number): string {
  let text = '';
  for (let i = 0; i < Math.min(length, 32); i++) text += alphabet[(salt >>> (i % 27)) % alphabet.length];
  return text.repeat(Math.ceil(length / 32)).slice(0, length);
}

/** Texts over an alphabet; their lengths are what matters. */
export function texts(alphabet: string, size: fc.Arbitrary<number>): fc.Arbitrary<string> {
  return fc.tuple(size, fc.nat()).map(([length, salt]) => textOf(alphabet, length, salt));
}

/** Every byte may stand in a body. */
const anyByte = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
export const bodies = texts(anyByte, sizes(65_536));
/** What a field value may hold, without blanks at its ends. */
const visible = anyByte.replace(/[\x00-\x20\x7f"\\]/g, '');
export const values = texts(visible, sizes(8192));
export const shortValues = texts(visible, fc.nat(20));
const nameAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Names of variables that mean nothing to anybody: each once. */
export const variables: fc.Arbitrary<[name: string, value: string][]> = fc
  .array(fc.tuple(fc.constantFrom('HTTP_X_', 'X', 'x.'), texts(nameAlphabet, sizes(200)), values), { maxLength: 8 })
  .map((list) => {
    const each = new Map(list.map(([prefix, name, value]) => [`${prefix}${name}`.slice(0, 256), value]));
    return [...each].filter(([name]) => name !== 'HTTP_X_');
  });

/** Field names of replies, each once. */
export const fields: fc.Arbitrary<[name: string, value: string][]> = fc
  .array(fc.tuple(texts(nameAlphabet, fc.integer({ min: 1, max: 20 })), values), { maxLength: 6 })
  .map((list) => [...new Map(list.map(([name, value]) => [`X-${name}`, value]))]);

export const statuses = fc.constantFrom(200, 201, 302, 404, 500, 599, 999);
export const places = fc.array(fc.nat(70_000), { maxLength: 6 });

export function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  return cutAt(
    bytes,
    at.map((place) => place % Math.max(1, bytes.length)).filter((place) => place > 0),
  );
}

/** A text in pieces of these sizes, none of them empty, each at most so long. */
export function pieces(text: string, sizesOfPieces: readonly number[], most: number): string[] {
  const found: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const wanted = sizesOfPieces.length === 0 ? most : sizesOfPieces[i % sizesOfPieces.length];
    // a large text in tiny pieces says no more than one in small ones
    const size = Math.min(most, Math.max(wanted, 1, Math.ceil(text.length / 50)));
    found.push(text.slice(at, at + size));
    at += size;
  }
  return found;
}
