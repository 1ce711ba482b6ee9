import { atOnce, ok, refused, type Vector } from '../vector.ts';
import { deepThought, get, late, latin1, netstring, question, withVariables } from './parts.ts';

function bodyIs(body: string): Vector['check'] {
  return ({ bodies }) => {
    if (bodies[0] !== body) throw new Error(`the body is ${bodies[0]}`);
  };
}

/** The body, and what comes behind it. */
export const bodyVectors: readonly Vector[] = [
  {
    row: 'vS1',
    title: 'the example of the SCGI document',
    input: latin1(netstring(deepThought) + question),
    want: ok(),
    check: (seen, name) => {
      bodyIs(question)?.(seen, name);
      const { method, target } = seen.asked[0];
      if (`${method} ${target}` !== 'POST /deepthought') throw new Error(`${method} ${target}`);
      if (!seen.output.startsWith('Status: 200 OK\r\n')) throw new Error(seen.output);
    },
  },
  { row: 'vS2', title: 'no body: its end is there at once', input: get, want: ok(), check: bodyIs('') },
  {
    row: 'vS25',
    title: 'FIN within the body gives the request up',
    input: withVariables([], 'abc', 10),
    open: true,
    fin: true,
    want: { asked: 1, answers: [], closed: ['fin', 'close', 'reset'], aborted: 1, rule: null },
    check: ({ asked }) => {
      if (asked[0].body !== undefined || asked[0].lost !== 'ERR_ABORTED') throw new Error(`lost: ${asked[0].lost}`);
    },
  },
  {
    row: 'vS26',
    title: 'silence within a body that the application reads',
    input: withVariables([], 'abc', 10),
    open: true,
    pass: 31_000,
    want: refused(408, { asked: 1, aborted: 1, rule: 'ERR_TIMEOUT_BODY' }),
  },
  {
    row: 'vS27',
    title: 'bytes behind the body are dropped, and the operator is told',
    input: withVariables([], 'abcdefghij', 3),
    oneTurn: true,
    want: ok('fin', { rule: 'ERR_BODY_EXCESS' }),
    check: bodyIs('abc'),
  },
  {
    row: 'vS27',
    title: 'a body that is left unread does no harm',
    input: withVariables([], 'abcdefghij'),
    app: atOnce,
    want: ok(),
  },
  {
    row: 'vS28',
    title: 'a second request behind the first is never read',
    input: Buffer.concat([get, withVariables([['REMOTE_USER', 'root']])]),
    oneTurn: true,
    want: ok('fin', { rule: 'ERR_BODY_EXCESS' }),
    check: ({ asked }) => {
      if ('REMOTE_USER' in asked[0].variables) throw new Error('a variable of the second request');
    },
  },
  {
    row: 'vS29',
    title: 'a peer that half-closes is answered where the listener serves it',
    input: latin1(netstring(deepThought) + question),
    fin: true,
    peer: { halfCloseServes: true },
    app: late,
    want: ok('fin'),
  },
  {
    row: 'vS29',
    title: 'FIN behind a request is the end of it anywhere else',
    input: latin1(netstring(deepThought) + question),
    fin: true,
    pass: 1,
    app: late,
    want: { asked: 1, answers: [], closed: ['fin', 'close', 'reset'], aborted: 1, rule: null },
  },
];
