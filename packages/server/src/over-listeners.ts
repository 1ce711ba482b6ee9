import type { Exchange } from '@postern/core';

type Listener = (error: Error | undefined) => void;

/** Who is to hear that an exchange is over: most have one, or none. */
export type OverListeners = Listener | Listener[] | undefined;

export function withListener(listeners: OverListeners, listener: Listener): OverListeners {
  if (listeners === undefined) return listener;
  return Array.isArray(listeners) ? [...listeners, listener] : [listeners, listener];
}

/** What one of them throws is reported, and keeps none of the others from hearing. */
export function tellOver(
  listeners: OverListeners,
  reason: Error | undefined,
  exchange: Exchange,
  context: { report(error: unknown, exchange: Exchange): void },
): void {
  if (Array.isArray(listeners)) for (const listener of listeners) tellOver(listener, reason, exchange, context);
  else {
    try {
      listeners?.(reason);
    } catch (error) {
      context.report(error, exchange);
    }
  }
}
