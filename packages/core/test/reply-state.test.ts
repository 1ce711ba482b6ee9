import { describe, expect, it } from '@jest/globals';
import { LocalProtocolError } from '../src/errors.ts';
import { nextReplyState, type ReplyInput, type ReplyState, replyTable } from '../src/reply-state.ts';

const states: ReplyState[] = ['waiting', 'body', 'tunnel', 'half', 'ended'];
const inputs: ReplyInput[] = [
  ...(['whole', 'interim', 'head', 'upgrade', 'data', 'flush'] as const),
  ...(['half-end', 'end', 'abort', 'log'] as const),
];

/** What may come, and where it leads. */
const allowed: Record<string, ReplyState> = {
  'waiting interim': 'waiting',
  'waiting whole': 'ended',
  'waiting head': 'body',
  'waiting upgrade': 'tunnel',
  'waiting abort': 'ended',
  'waiting log': 'waiting',
  'body data': 'body',
  'body flush': 'body',
  'body end': 'ended',
  'body abort': 'ended',
  'body log': 'body',
  'tunnel data': 'tunnel',
  'tunnel flush': 'tunnel',
  'tunnel half-end': 'half',
  'tunnel end': 'ended',
  'tunnel abort': 'ended',
  'tunnel log': 'tunnel',
  'half end': 'ended',
  'half abort': 'ended',
  'half log': 'half',
  'ended log': 'ended',
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof LocalProtocolError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe('the state of a reply', () => {
  for (const state of states) {
    for (const input of inputs) {
      const next = allowed[`${state} ${input}`];
      if (next !== undefined) {
        it(`${state}: ${input} leads to ${next}`, () => expect(nextReplyState(state, input)).toBe(next));
        continue;
      }
      const code = ['whole', 'interim', 'head', 'upgrade'].includes(input) ? 'ERR_HEADERS_SENT' : 'ERR_WRITE_AFTER_END';
      it(`${state}: ${input} throws ${code}`, () => expect(codeOf(() => nextReplyState(state, input))).toBe(code));
    }
  }

  it('has no other', () => expect(Object.keys(replyTable)).toEqual(states));
});
