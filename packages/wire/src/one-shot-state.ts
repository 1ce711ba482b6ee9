/**
 * What may happen to a connection that carries one request, as SCGI and uwsgi have it: a missing cell is an illegal move.
 * The diagrams in docs/explanation/states.md are generated from it.
 */

/**
 * How far a server has received the request. `length`: the block of variables has no known length yet; `block`: the
 * block is being waited for. `asked`: it asks for an upgrade, and what comes waits for the answer. `tunnel`: it has one.
 * `dropped`: what still comes is thrown away.
 */
export type OneShotState = 'length' | 'block' | 'body' | 'complete' | 'asked' | 'tunnel' | 'dropped';
export type OneShotInput = 'LENGTH' | 'HEAD' | 'HEAD_BODY' | 'HEAD_ASKS' | 'BODY' | 'BODY_END' | 'UPGRADE' | 'DROP';

export const oneShotTable: Record<OneShotState, Partial<Record<OneShotInput, OneShotState>>> = {
  length: { LENGTH: 'block', DROP: 'dropped' },
  block: { HEAD: 'complete', HEAD_BODY: 'body', HEAD_ASKS: 'asked', DROP: 'dropped' },
  body: { BODY: 'body', BODY_END: 'complete', DROP: 'dropped' },
  // one request a connection: bytes behind the body are never read as a second one
  complete: { DROP: 'dropped' },
  asked: { UPGRADE: 'tunnel', DROP: 'dropped' },
  tunnel: { BODY: 'tunnel', BODY_END: 'dropped', DROP: 'dropped' },
  dropped: { DROP: 'dropped' },
};
