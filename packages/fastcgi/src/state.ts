/**
 * What may happen to one request id, as tables: a missing cell is an illegal move. The diagrams in
 * docs/explanation/states.md are generated from them.
 */

/**
 * How far a server has received a request. `early`: STDIN ended before PARAMS did. `refused`: nobody waits for the rest
 * of it, which is thrown away.
 */
export type ReceiveState = 'params' | 'early' | 'body' | 'complete' | 'refused';
export type ReceiveInput = 'PARAMS' | 'PARAMS_END' | 'STDIN' | 'STDIN_END' | 'ABORT' | 'DATA';

/** A responder; an authorizer too, whose STDIN is thrown away. */
export const receiveTable: Record<ReceiveState, Partial<Record<ReceiveInput, ReceiveState>>> = {
  params: {
    PARAMS: 'params',
    PARAMS_END: 'body',
    STDIN: 'params',
    STDIN_END: 'early',
    ABORT: 'refused',
    DATA: 'params',
  },
  early: { PARAMS: 'early', PARAMS_END: 'complete', STDIN_END: 'early', ABORT: 'refused', DATA: 'early' },
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

/** Of a filter. `data`: STDIN has ended, the file is on its way. */
export type FilterState = ReceiveState | 'data';
export type FilterInput = ReceiveInput | 'DATA_END';

/** A filter gets its streams one behind the other (FastCGI 1.0 §6.4). */
export const filterTable: Record<FilterState, Partial<Record<FilterInput, FilterState>>> = {
  params: { PARAMS: 'params', PARAMS_END: 'body', STDIN: 'params', STDIN_END: 'early', ABORT: 'refused' },
  early: { PARAMS: 'early', PARAMS_END: 'data', STDIN_END: 'early', ABORT: 'refused' },
  body: { PARAMS_END: 'body', STDIN: 'body', STDIN_END: 'data', ABORT: 'refused' },
  data: { PARAMS_END: 'data', STDIN_END: 'data', DATA: 'data', DATA_END: 'complete', ABORT: 'refused' },
  complete: { PARAMS_END: 'complete', STDIN_END: 'complete', DATA_END: 'complete', ABORT: 'refused' },
  refused: { ...receiveTable.refused, DATA_END: 'refused' },
};
