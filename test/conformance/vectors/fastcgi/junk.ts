import { abort, begin, hex } from '@postern/testkit';
import { ignored, shut, type Vector } from '../vector.ts';
import { bytes } from './parts.ts';

const junk = shut({ rule: 'ERR_FCGI_JUNK' });
const paramsOfNobody = hex('01 04 00 09 00 01 00 00 00');
const emptyOfNobody = hex('01 05 00 09 00 00 00 00');

function times(count: number, one: Uint8Array): Buffer {
  return Buffer.alloc(count * one.length, one);
}

const begunAndAborted = bytes(begin(1, 1), abort());

/** What is counted: see docs/reference/limits.md. */
export const junkVectors: readonly Vector[] = [
  {
    row: 'vF45',
    title: 'PARAMS for an id that was never begun are ignored 64 times',
    input: times(64, paramsOfNobody),
    want: ignored(),
  },
  {
    row: 'vF45',
    title: 'PARAMS for an id that was never begun, once more',
    input: times(65, paramsOfNobody),
    want: junk,
  },
  {
    row: 'vF96',
    title: '64 empty records of no request are ignored',
    input: times(64, emptyOfNobody),
    want: ignored(),
  },
  {
    row: 'vF96',
    title: 'a million empty records: closed at the 65th',
    input: times(1_000_000, emptyOfNobody),
    want: junk,
    // the pieces of a flood are those of the row before
    wholeOnly: true,
  },
  { row: 'vF96', title: 'the 65th empty record closes', input: times(65, emptyOfNobody), want: junk },
  {
    row: 'vF102',
    title: '100 requests that are aborted before their heads end: each is ended once',
    input: times(100, begunAndAborted),
    want: { asked: 0, answers: Array.from({ length: 100 }, () => 'END(0)'), closed: 'open', others: [], rule: null },
  },
  {
    row: 'vF102',
    title: 'a flood of requests that are aborted',
    input: times(101, begunAndAborted),
    want: shut({ answers: Array.from({ length: 100 }, () => 'END(0)'), rule: 'ERR_FLOOD' }),
  },
];
