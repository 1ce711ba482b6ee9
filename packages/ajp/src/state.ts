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
  /** lighttpd owes more of what it was asked for. */
  | 'BODY_PART'
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
  due: { BODY: 'held', BODY_PART: 'due', BODY_END: 'complete', DROP: 'dropped' },
  held: { ASK: 'due', END: 'idle', DROP: 'dropped' },
  // AJP has no pipelining: a request that comes before the end of the one before it is not read
  complete: { EMPTY: 'complete', END: 'idle', DROP: 'dropped' },
  dropped: { DROP: 'dropped' },
};

/**
 * How far a client has got with its connection. `pinged`: CPONG is due. `over`: nothing more is asked, and what still
 * comes is thrown away.
 */
export type AnswerState = 'idle' | 'pinged' | 'waiting' | 'body' | 'over';
export type AnswerInput =
  /** FORWARD_REQUEST, CPING: sent from here. */
  | 'REQUEST'
  | 'PING'
  | 'CPONG'
  | 'SEND_HEADERS'
  | 'SEND_BODY_CHUNK'
  /** SEND_BODY_CHUNK without bytes. */
  | 'FLUSH'
  | 'GET_BODY_CHUNK'
  /** END_RESPONSE, the connection goes on or does not. */
  | 'END_REUSE'
  | 'END_CLOSE'
  | 'DROP';

export const answerTable: Record<AnswerState, Partial<Record<AnswerInput, AnswerState>>> = {
  idle: { REQUEST: 'waiting', PING: 'pinged', DROP: 'over' },
  pinged: { CPONG: 'idle', DROP: 'over' },
  waiting: { SEND_HEADERS: 'body', FLUSH: 'waiting', GET_BODY_CHUNK: 'waiting', DROP: 'over' },
  body: {
    SEND_BODY_CHUNK: 'body',
    FLUSH: 'body',
    GET_BODY_CHUNK: 'body',
    END_REUSE: 'idle',
    END_CLOSE: 'over',
    DROP: 'over',
  },
  over: { DROP: 'over' },
};

/**
 * How far a client has sent a request body. `first`: one packet goes unasked. `held`: the next one must be asked for.
 * `asked`: it was. `whole`: all bytes of a stated length have gone. `surplus`: more was asked for all the same. `ended`:
 * the end of the body was sent, or nobody waits for it.
 */
export type UploadState = 'first' | 'held' | 'asked' | 'whole' | 'surplus' | 'ended';
export type UploadInput =
  /** GET_BODY_CHUNK came. */
  | 'ASK'
  /** A packet with body bytes was sent; `LAST`: with it all of a stated length. */
  | 'PIECE'
  | 'LAST'
  /** The packet that says that no more comes was sent. */
  | 'END'
  | 'DROP';

export const uploadTable: Record<UploadState, Partial<Record<UploadInput, UploadState>>> = {
  // no ASK here and in `asked`: were two packets due at once, the sides could disagree on what they answer. No END here: a
  // body has the length that is stated
  first: { PIECE: 'held', LAST: 'whole', DROP: 'ended' },
  held: { ASK: 'asked', DROP: 'ended' },
  asked: { PIECE: 'held', LAST: 'whole', END: 'ended', DROP: 'ended' },
  whole: { ASK: 'surplus', DROP: 'ended' },
  surplus: { END: 'ended', DROP: 'ended' },
  ended: { DROP: 'ended' },
};
