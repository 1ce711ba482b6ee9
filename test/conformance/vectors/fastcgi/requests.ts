import { begin, hex, pair, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import { abortAndClose, ok, refused, shut, silent, type Vector, type Want } from '../vector.ts';
import { bytes, env, get } from './parts.ts';

const badRecord = shut({ rule: 'ERR_FCGI_RECORD' });

/** END_REQUEST with UNKNOWN_ROLE, and no STDOUT. */
function unknownRole(closed: Want['closed']): Want {
  return { asked: 0, answers: ['END(3)'], closed, others: [], rule: null };
}

const roleBodies = [0, 4, 65_535];

/** BEGIN_REQUEST, the order of streams, and heads that do not come. */
export const requestVectors: readonly Vector[] = [
  {
    row: 'vF34',
    title: 'BEGIN_REQUEST of 7 bytes',
    input: hex('01 01 00 01 00 07 00 00 00 01 00 00 00 00 00'),
    want: badRecord,
  },
  {
    row: 'vF35',
    title: 'BEGIN_REQUEST of 16 bytes',
    input: hex('01 01 00 01 00 10 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00'),
    want: badRecord,
  },
  { row: 'vF36', title: 'BEGIN_REQUEST without content', input: hex('01 01 00 01 00 00 00 00'), want: badRecord },
  {
    row: 'vF37',
    title: 'an unknown role is told so, and a kept connection goes on',
    input: Object.fromEntries(roleBodies.map((role) => [`role ${role}`, begin(1, 1, role)])),
    want: unknownRole('open'),
    check: ({ output }) => {
      const found = Buffer.from(output, 'latin1').toString('hex');
      if (found !== '01030001000800000000000003000000') throw new Error(`the output is ${found}`);
    },
  },
  {
    row: 'vF37',
    title: 'an unknown role closes a connection that is not kept',
    input: Object.fromEntries(roleBodies.map((role) => [`role ${role}`, begin(1, 0, role)])),
    want: unknownRole('fin'),
  },
  {
    row: 'vF37',
    title: 'PARAMS and STDIN of an unknown role are free of charge',
    input: bytes(
      begin(1, 1, 4),
      ...Array.from({ length: 70 }, () => params(env)),
      params(),
      ...Array.from({ length: 70 }, () => stdin('x')),
      stdin(),
    ),
    want: unknownRole('open'),
  },
  {
    row: 'vF38',
    title: 'a filter that the application is not',
    input: begin(1, 1, 3),
    want: unknownRole('open'),
  },
  {
    row: 'vF38',
    title: 'an authorizer that the application is not: a denial stands before END_REQUEST, for lighttpd',
    input: begin(1, 1, 2),
    want: { asked: 0, answers: ['500'], closed: 'open', others: [], rule: null },
    check: ({ output }) => {
      if (!output.endsWith('\x01\x03\0\x01\0\x08\0\0\0\0\0\0\x03\0\0\0')) throw new Error('no UNKNOWN_ROLE at the end');
    },
  },
  {
    row: 'vF39',
    title: 'of the flags only bit 0 keeps the connection',
    input: bytes(hex('01 01 00 01 00 08 00 00 00 01 fe 00 00 00 00 00'), get.subarray(16)),
    want: ok('fin'),
  },
  {
    row: 'vF40',
    title: 'the reserved bytes of BEGIN_REQUEST are anything',
    input: bytes(hex('01 01 00 01 00 08 00 00 00 01 00 01 02 03 04 05'), get.subarray(16)),
    want: ok('fin'),
  },
  {
    row: 'vF41',
    title: 'BEGIN_REQUEST for an id that runs',
    input: bytes(begin(), begin()),
    want: shut({ rule: 'ERR_FCGI_STATE' }),
  },
  {
    row: 'vF41',
    title: 'BEGIN_REQUEST for an id whose application works: it is given up',
    input: bytes(get, begin()),
    app: silent,
    want: abortAndClose({ rule: 'ERR_FCGI_STATE' }),
  },
  {
    row: 'vF42',
    title: 'an id of 65535',
    input: request(plainGet, { id: 65_535 }),
    want: ok('fin'),
    check: ({ marks }) => {
      if (marks[0] !== 65_535) throw new Error(`id ${marks[0]} was answered`);
    },
  },
  {
    row: 'vF43',
    title: 'one request more than there may be at once is answered 503',
    input: bytes(...Array.from({ length: 17 }, (_, i) => begin(i + 1, 1))),
    limits: { maxConcurrentPerConnection: 16 },
    open: true,
    want: { asked: 0, answers: ['503'], closed: 'open', others: [], rule: 'ERR_FCGI_CONCURRENT' },
    check: ({ marks, output }) => {
      if (marks[0] !== 17) throw new Error(`id ${marks[0]} was refused, and not the last`);
      if (!output.includes('Retry-After: 1\r\n')) throw new Error('no Retry-After');
      if (!output.endsWith('\x01\x03\0\x11\0\x08\0\0\0\0\0\0\0\0\0\0')) throw new Error('no REQUEST_COMPLETE');
    },
  },
  {
    row: 'vF43',
    title: 'as many as there may be, whose heads do not come, are answered 408, each',
    input: bytes(...Array.from({ length: 16 }, (_, i) => begin(i + 1, 1))),
    limits: { maxConcurrentPerConnection: 16 },
    open: true,
    pass: 10_500,
    want: refused(408, { answers: Array.from({ length: 16 }, () => '408'), rule: 'ERR_TIMEOUT_HEAD' }),
  },
  {
    row: 'vF44',
    title: 'a head that does not come',
    input: begin(),
    open: true,
    pass: 10_500,
    want: refused(408, { rule: 'ERR_TIMEOUT_HEAD' }),
  },
  {
    row: 'vF85',
    title: 'a second end of PARAMS starts nothing',
    input: bytes(begin(), params(env), params(), params(), stdin()),
    want: ok(),
  },
  {
    row: 'vF86',
    title: 'PARAMS behind the end of PARAMS',
    input: bytes(
      begin(),
      params(pairs({ ...plainGet, CONTENT_LENGTH: '3' })),
      params(),
      params(pairs({ REMOTE_USER: 'root' })),
    ),
    want: abortAndClose({ rule: 'ERR_FCGI_STATE' }),
    check: ({ asked: [one] }) => {
      if (one.variables.REMOTE_USER !== undefined) throw new Error('REMOTE_USER came in');
    },
  },
  {
    row: 'vF87',
    title: 'PARAMS without an end',
    input: bytes(begin(), params(env), stdin('x'), stdin()),
    open: true,
    pass: 10_500,
    want: refused(408, { rule: 'ERR_TIMEOUT_HEAD' }),
  },
  {
    row: 'vF90',
    title: 'STDIN before the end of PARAMS',
    input: bytes(begin(), stdin('abc'), params(bytes(env, pair('CONTENT_LENGTH', '3'))), params(), stdin()),
    want: ok(),
    check: ({ bodies }) => {
      if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
    },
  },
  {
    row: 'vF97',
    title: 'DATA to a responder',
    input: bytes(begin(), params(env), params(), record(8, 1, 'x'), stdin()),
    want: ok('fin', { others: [] }),
  },
  {
    row: 'vF97',
    title: 'DATA for an idle id',
    input: hex('01 08 00 01 00 01 00 00 78'),
    want: { asked: 0, answers: [], closed: 'open', others: [], rule: null },
  },
];
