/**
 * What may happen to a connection, as tables: a missing cell is an illegal move. The diagrams in
 * docs/explanation/states.md are generated from them.
 */

/** How far a server has received the request. `dropped`: what still comes is thrown away. */
export type ReceiveState = 'length' | 'block' | 'body' | 'complete' | 'dropped';
export type ReceiveInput = 'LENGTH' | 'HEAD' | 'HEAD_BODY' | 'BODY' | 'BODY_END' | 'DROP';

export const receiveTable: Record<ReceiveState, Partial<Record<ReceiveInput, ReceiveState>>> = {
  length: { LENGTH: 'block', DROP: 'dropped' },
  block: { HEAD: 'complete', HEAD_BODY: 'body', DROP: 'dropped' },
  body: { BODY: 'body', BODY_END: 'complete', DROP: 'dropped' },
  // one request a connection: bytes behind the body are never read as a second one
  complete: { DROP: 'dropped' },
  dropped: { DROP: 'dropped' },
};
