import type { Exchange } from '@postern/core';
import { abort, begin, pairs, params, plainGet, record, request, stdin } from '@postern/testkit';
import { abortAndClose, atOnce, ok, silent, type Vector, type Want } from '../vector.ts';
import { bytes, env, get, post } from './parts.ts';

/** The request was given up by ABORT_REQUEST, on a kept connection: one END_REQUEST, and nothing else. */
const abortedOnce: Want = { asked: 1, answers: ['END(0)'], closed: 'open', aborted: 1, others: [], rule: null };

/** It answers all the same once the request is given up. */
function late(exchange: Exchange): void {
  exchange.onOver(() => exchange.respond(200, 'OK', [], 'late'));
}

/** Reads the body, and then the file of a filter; answers nothing. */
function readsFile(exchange: Exchange): void {
  exchange.input.bytes(1000).catch(() => {});
  exchange.data?.bytes(1000).catch(() => {});
}

const tenMiB = 10 * 1_048_576;

/** Bodies, aborts, and peers that leave. */
export const bodyVectors: readonly Vector[] = [
  {
    row: 'vF91',
    title: 'a body that ends early: the reader hears it, and the answer is 400',
    input: bytes(post(10), stdin('abc'), stdin()),
    want: { asked: 1, answers: ['400'], closed: 'fin', aborted: 1, others: [], rule: null },
    check: ({ asked: [one] }) => {
      if (one.lost !== 'ERR_BODY_SHORT' || one.body !== undefined) throw new Error(`the reader hears ${one.lost}`);
    },
  },
  {
    row: 'vF92',
    title: 'of a body that goes on CONTENT_LENGTH bytes are read, and the log says it',
    input: bytes(post(3), stdin('abcdefghij'), stdin()),
    want: ok('fin', { rule: 'ERR_BODY_EXCESS' }),
    check: ({ bodies }) => {
      if (bodies[0] !== 'abc') throw new Error(`the body is ${bodies[0]}`);
    },
  },
  {
    row: 'vF93',
    title: 'STDIN behind its end',
    input: bytes(get, stdin('x')),
    app: silent,
    want: abortAndClose({ rule: 'ERR_FCGI_STATE' }),
  },
  { row: 'vF94', title: 'a second end of STDIN', input: bytes(get, stdin()), want: ok('fin', { others: [] }) },
  {
    row: 'vF95',
    title: '10 MiB of STDIN that come behind the answer are free of charge',
    input: bytes(
      post(tenMiB, 1, 1),
      ...Array.from({ length: tenMiB / 32_768 }, () => stdin(Buffer.alloc(32_768))),
      stdin(),
      request(plainGet, { id: 2, flags: 1 }),
    ),
    app: atOnce,
    want: { asked: 2, answers: ['200', '200'], closed: 'open', aborted: 0, others: [], rule: null },
    wholeOnly: true,
  },
  {
    row: 'vF98',
    title: 'the file of a filter ends early',
    input: bytes(
      begin(1, 0, 3),
      params(pairs({ ...plainGet, FCGI_DATA_LENGTH: '10' })),
      params(),
      stdin(),
      record(8, 1, 'abc'),
      record(8, 1),
    ),
    peer: { roles: ['filter', 'responder'] },
    app: readsFile,
    want: { asked: 1, answers: ['400'], closed: 'fin', aborted: 1, others: [], rule: null },
    check: ({ asked: [one] }) => {
      if (one.lost !== 'ERR_BODY_SHORT') throw new Error(`it hears ${one.lost}`);
    },
  },
  {
    row: 'vF99',
    title: 'ABORT_REQUEST for a request that runs: one END_REQUEST',
    input: bytes(begin(1, 1), params(env), params(), abort()),
    app: silent,
    want: abortedOnce,
  },
  {
    row: 'vF99',
    title: 'behind ABORT_REQUEST nothing is written, though the application answers',
    input: bytes(begin(1, 1), params(env), params(), abort()),
    app: late,
    want: abortedOnce,
  },
  {
    row: 'vF100',
    title: 'ABORT_REQUEST with content',
    input: bytes(begin(1, 1), params(env), params(), abort(1, '12345678')),
    app: silent,
    want: abortedOnce,
  },
  {
    row: 'vF101',
    title: 'ABORT_REQUEST for an unknown id',
    input: abort(9),
    want: { asked: 0, answers: [], closed: 'open', others: [], rule: null },
  },
  {
    row: 'vF101',
    title: 'ABORT_REQUEST twice',
    input: bytes(begin(1, 1), params(env), params(), abort(), abort()),
    app: silent,
    want: abortedOnce,
  },
  {
    row: 'vF101',
    title: 'ABORT_REQUEST behind the answer',
    input: bytes(begin(1, 1), params(env), params(), stdin(), abort()),
    app: atOnce,
    want: { asked: 1, answers: ['200'], closed: 'open', aborted: 0, others: [], rule: null },
  },
  {
    row: 'vF103',
    title: 'ABORT_REQUEST in the middle of STDIN: the rest is thrown away',
    input: bytes(post(3, 1, 1), stdin('x'), abort(), stdin('y'), stdin()),
    want: abortedOnce,
    check: ({ asked: [one] }) => {
      if (one.lost !== 'ERR_ABORTED') throw new Error(`the reader hears ${one.lost}`);
    },
  },
  {
    row: 'vF104',
    title: 'FIN while the application works: it hears of it, and nothing is written',
    input: get,
    fin: true,
    app: silent,
    want: { asked: 1, answers: [], closed: 'fin', aborted: 1, others: [], rule: null },
    check: ({ output, asked: [one] }) => {
      if (output !== '') throw new Error(`${output.length} bytes were written`);
      if (one.lost !== 'ERR_ABORTED') throw new Error(`the application hears ${one.lost}`);
    },
  },
  {
    row: 'vF105',
    title: 'a reset in the middle of the body: its reader hears why',
    input: bytes(post(10), stdin('abc')),
    reset: true,
    want: { asked: 1, answers: [], closed: 'close', aborted: 1, others: [], rule: null },
    check: ({ asked: [one] }) => {
      if (one.lost !== 'ERR_ABORTED' || one.cause !== 'ECONNRESET')
        throw new Error(`it hears ${one.lost}: ${one.cause}`);
    },
  },
];
