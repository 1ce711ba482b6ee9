/**
 * What may happen to one request id, as tables: a missing cell is an illegal move. The diagrams in
 * docs/explanation/states.md are generated from them.
 */

/** How far a server has received a request. `refused`: it was answered with an error, the rest of it is thrown away. */
export type ReceiveState = 'params' | 'body' | 'complete' | 'refused';
export type ReceiveInput = 'PARAMS' | 'PARAMS_END' | 'STDIN' | 'STDIN_END' | 'ABORT' | 'DATA';

export const receiveTable: Record<ReceiveState, Partial<Record<ReceiveInput, ReceiveState>>> = {
  params: {
    PARAMS: 'params',
    PARAMS_END: 'body',
    STDIN: 'params',
    STDIN_END: 'params',
    ABORT: 'refused',
    DATA: 'params',
  },
  // a second end of PARAMS must not start the request again; PARAMS behind the end must not change what was handed out
  body: { PARAMS_END: 'body', STDIN: 'body', STDIN_END: 'complete', ABORT: 'refused', DATA: 'body' },
  complete: { PARAMS_END: 'complete', STDIN_END: 'complete', ABORT: 'refused', DATA: 'complete' },
  refused: {
    PARAMS: 'refused',
    PARAMS_END: 'refused',
    STDIN: 'refused',
    STDIN_END: 'refused',
    ABORT: 'refused',
    DATA: 'refused',
  },
};

/** How far a server has answered a request. */
export type ReplyState = 'waiting' | 'body' | 'ended';
export type ReplyInput = 'whole' | 'head' | 'data' | 'flush' | 'end' | 'abort' | 'log';

export const replyTable: Record<ReplyState, Partial<Record<ReplyInput, ReplyState>>> = {
  waiting: { whole: 'ended', head: 'body', abort: 'ended', log: 'waiting' },
  body: { data: 'body', flush: 'body', end: 'ended', abort: 'ended', log: 'body' },
  ended: {},
};
