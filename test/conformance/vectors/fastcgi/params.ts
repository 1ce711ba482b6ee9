import { begin, hex, pair, params, plainGet, stdin } from '@postern/testkit';
import { ok, refused, type Vector } from '../vector.ts';
import { bytes, env, shown, withContent, withPair } from './parts.ts';

const malformed = refused(400, { rule: 'ERR_ENV_PAIR' });
const badName = refused(400, { rule: 'ERR_ENV_NAME' });
const tooLong = refused(431, { rule: 'ERR_ENV_ITEM' });
const tooMany = refused(431, { rule: 'ERR_ENV_BYTES' });

/** The variables of a plain GET and three more, so that PARAMS have so many bytes. */
function filled(length: number): Buffer {
  const values = [60_000, 60_000, length - 120_000 - env.length - 3 * 12];
  return bytes(env, ...values.map((value, i) => pair(`HTTP_X${i}`, 'x'.repeat(value))));
}

/** In records of the largest size. */
function inRecords(content: Buffer, most = 65_535): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += most) records.push(params(content.subarray(at, at + most)));
  return bytes(...records);
}

const everyBadByte = [...Array.from({ length: 0x21 }, (_, i) => i), 0x3d, 0x7f];
for (let byte = 0x80; byte <= 0xff; byte++) everyBadByte.push(byte);

/** PARAMS: pairs, lengths and limits. */
export const paramsVectors: readonly Vector[] = [
  {
    row: 'vF46',
    title: 'a pair straddles two records, at every offset',
    input: Object.fromEntries(
      Array.from({ length: env.length - 1 }, (_, i) => [
        `at ${i + 1}`,
        bytes(begin(), params(env.subarray(0, i + 1)), params(env.subarray(i + 1)), params(), stdin()),
      ]),
    ),
    want: ok(),
    check: ({ asked: [one] }) => {
      for (const [name, value] of Object.entries(plainGet))
        if (one.variables[name] !== value) throw new Error(`${name} is ${one.variables[name]}`);
    },
    // each of them differs from its neighbour by one place
    wholeOnly: true,
  },
  {
    row: 'vF47',
    title: 'a length of four bytes of which three come',
    input: bytes(begin(), hex('01 04 00 01 00 03 00 00 80 00 00'), params()),
    want: malformed,
  },
  {
    row: 'vF48',
    title: 'the lengths of CVE-2025-23016',
    input: bytes(begin(), hex('01 04 00 01 00 08 00 00 ff ff ff ff ff ff ff ff')),
    want: tooLong,
  },
  {
    row: 'vF49',
    title: 'a length just above the limit of all PARAMS, before they end',
    input: bytes(begin(), hex('01 04 00 01 00 05 00 00 80 02 00 01 00')),
    want: tooLong,
  },
  {
    row: 'vF50',
    title: 'a pair that is longer than what comes',
    input: bytes(begin(), hex('01 04 00 01 00 06 00 00 05 01 41 42 43 44'), params()),
    want: malformed,
  },
  {
    row: 'vF51',
    title: 'a pair of 50 and 50 bytes in 10 bytes',
    input: bytes(begin(), hex('01 04 00 01 00 0a 00 00 32 32 03 04 05 06 07 08 09 0a'), params(), stdin()),
    want: malformed,
  },
  {
    row: 'vF52',
    title: 'a short length in its long form',
    input: withContent(bytes(hex('80 00 00 0e 03'), Buffer.from('REQUEST_METHODGET'))),
    want: ok(),
  },
  { row: 'vF53', title: 'an empty name', input: withContent(bytes(env, hex('00 01 41'))), want: badName },
  { row: 'vF54', title: 'an empty name and value', input: withContent(bytes(env, hex('00 00'))), want: badName },
  {
    row: 'vF55',
    title: 'an empty value is the empty string',
    input: withContent(bytes(env, hex('06 00 48 54 54 50 5f 58'))),
    want: ok(),
    check: ({ asked: [one] }) => {
      if (one.variables.HTTP_X !== '') throw new Error(`HTTP_X is ${one.variables.HTTP_X}`);
    },
  },
  { row: 'vF56', title: 'NUL in a name', input: withContent(bytes(env, hex('03 01 41 00 42 78'))), want: badName },
  { row: 'vF58', title: '= in a name', input: withContent(bytes(env, hex('03 01 41 3d 42 78'))), want: badName },
  {
    row: 'vF59',
    title: 'a byte that no name may have',
    input: Object.fromEntries(
      [...everyBadByte].map((byte) => [
        shown(String.fromCharCode(byte)),
        withPair(`A${String.fromCharCode(byte)}B`, 'x'),
      ]),
    ),
    want: badName,
    // the pieces of the same bytes are those of vF56 and vF58
    wholeOnly: true,
  },
  {
    row: 'vF81',
    title: '1000 variables are taken',
    input: withContent(bytes(env, ...numbered(993))),
    want: ok(),
  },
  {
    row: 'vF81',
    title: '1001 variables',
    input: withContent(bytes(env, ...numbered(994))),
    want: refused(431, { rule: 'ERR_ENV_COUNT' }),
  },
  {
    row: 'vF82',
    title: '131,072 bytes of PARAMS are taken',
    input: bytes(begin(), inRecords(filled(131_072)), params(), stdin()),
    want: ok(),
  },
  {
    row: 'vF82',
    title: '131,073 bytes of PARAMS, by the header of the record that passes the limit',
    input: bytes(begin(), inRecords(filled(131_073).subarray(0, 131_070)), params('abc').subarray(0, 8)),
    want: tooMany,
    open: true,
  },
  {
    row: 'vF83',
    title: '1024 records of PARAMS are taken',
    input: bytes(
      begin(),
      inRecords(bytes(env, pair('HTTP_X', 'x'.repeat(1024 - env.length - 11))), 1),
      params(),
      stdin(),
    ),
    want: ok(),
  },
  {
    row: 'vF83',
    title: '1025 records of PARAMS of one byte',
    input: bytes(
      begin(),
      inRecords(bytes(env, pair('HTTP_X', 'x'.repeat(1025 - env.length - 11))), 1),
      params(),
      stdin(),
    ),
    want: tooMany,
  },
  { row: 'vF84', title: 'a value of 65,535 bytes is taken', input: long(65_535), want: ok() },
  { row: 'vF84', title: 'a value of 65,536 bytes', input: long(65_536), want: tooLong },
  {
    row: 'vF88',
    title: '1000 names of decimal digits are 1000 variables',
    input: withContent(bytes(env, ...numbered(993, ''))),
    want: ok(),
    check: ({ asked: [one] }) => {
      for (let i = 0; i < 993; i++) {
        const name = String(i * 65_536);
        if (one.variables[name] !== String(i)) throw new Error(`${name} is ${one.variables[name]}`);
      }
    },
  },
];

/** So many variables more; the steps between the names are those that collide where a table takes their lower bits. */
function numbered(count: number, prefix = 'HTTP_X'): Buffer[] {
  return Array.from({ length: count }, (_, i) => pair(`${prefix}${i * 65_536}`, String(i)));
}

function long(length: number): Buffer {
  return bytes(begin(), inRecords(bytes(env, pair('HTTP_X', 'x'.repeat(length)))), params(), stdin());
}
