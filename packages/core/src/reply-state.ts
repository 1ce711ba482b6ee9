import { LocalProtocolError } from './errors.ts';
import type { ReplyEvent } from './protocol.ts';

/**
 * How far a server has answered a request: the same in every protocol. `half`: of a tunnel, whose other half is open.
 */
export type ReplyState = 'waiting' | 'body' | 'tunnel' | 'half' | 'ended';
export type ReplyInput = ReplyEvent['type'];

/** A missing cell is an illegal move. The diagram in docs/explanation/states.md is generated from it. */
export const replyTable: Record<ReplyState, Partial<Record<ReplyInput, ReplyState>>> = {
  waiting: { interim: 'waiting', whole: 'ended', head: 'body', upgrade: 'tunnel', abort: 'ended', log: 'waiting' },
  body: { data: 'body', flush: 'body', end: 'ended', abort: 'ended', log: 'body' },
  tunnel: { data: 'tunnel', flush: 'tunnel', 'half-end': 'half', end: 'ended', abort: 'ended', log: 'tunnel' },
  half: { end: 'ended', abort: 'ended', log: 'half' },
  // what is logged behind the reply is for nobody
  ended: { log: 'ended' },
};

/** @throws LocalProtocolError ERR_HEADERS_SENT, ERR_WRITE_AFTER_END: the event is not allowed in this state */
export function nextReplyState(state: ReplyState, input: ReplyInput): ReplyState {
  // what nearly every request comes to, without the look-up of two words
  if (state === 'waiting' && input === 'whole') return 'ended';
  const next = replyTable[state][input];
  if (next !== undefined) return next;
  const heads = input === 'head' || input === 'whole' || input === 'interim' || input === 'upgrade';
  const code = heads ? 'ERR_HEADERS_SENT' : 'ERR_WRITE_AFTER_END';
  throw new LocalProtocolError(code, `${input} after ${state}`);
}
