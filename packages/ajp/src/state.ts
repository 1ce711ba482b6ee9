/**
 * What may happen to a connection, as tables: a missing cell is an illegal move. The diagrams in
 * docs/explanation/states.md are generated from them.
 */

/**
 * How far a server has received a request. `due`: one body packet is on its way, unasked or asked for. `held`: none is,
 * the next one must be asked for. `dropped`: what still comes is thrown away.
 */
export type ReceiveState = 'idle' | 'due' | 'held' | 'complete' | 'dropped';
export type ReceiveInput =
  /** FORWARD_REQUEST: without a body, with Content-Length, chunked. */
  | 'HEAD'
  | 'HEAD_LENGTH'
  | 'HEAD_CHUNKED'
  | 'CPING'
  /** A packet without payload that belongs to no body. */
  | 'EMPTY'
  | 'BODY'
  | 'BODY_END'
  /** GET_BODY_CHUNK was sent. */
  | 'ASK'
  /** END_RESPONSE was sent and the connection goes on. */
  | 'END'
  | 'DROP';

export const receiveTable: Record<ReceiveState, Partial<Record<ReceiveInput, ReceiveState>>> = {
  idle: {
    HEAD: 'complete',
    HEAD_LENGTH: 'due',
    HEAD_CHUNKED: 'held',
    CPING: 'idle',
    EMPTY: 'idle',
    DROP: 'dropped',
  },
  // no END here: a body packet that is on its way must not be taken for the next request
  due: { BODY: 'held', BODY_END: 'complete', DROP: 'dropped' },
  held: { ASK: 'due', END: 'idle', DROP: 'dropped' },
  // AJP has no pipelining: a request that comes before the end of the one before it is not read
  complete: { EMPTY: 'complete', END: 'idle', DROP: 'dropped' },
  dropped: { DROP: 'dropped' },
};
