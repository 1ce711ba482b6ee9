import { expect } from '@jest/globals';
import { AbortError, type Exchange } from '@postern/core';
import { until } from '@postern/testkit';
import type { Serving } from './serving.ts';

/** What an application heard of the end of one exchange. */
export interface Told {
  over: (Error | undefined)[];
  aborted: unknown[];
}

export function listenTo(exchange: Exchange): Told {
  const told: Told = { over: [], aborted: [] };
  exchange.onOver((error) => told.over.push(error));
  exchange.signal.addEventListener('abort', () => told.aborted.push(exchange.signal.reason));
  return told;
}

/** It heard once, by both ways, and of an AbortError. */
export function expectAbort({ over, aborted }: Told): void {
  expect(over).toHaveLength(1);
  expect(aborted).toHaveLength(1);
  expect(over[0]).toBe(aborted[0]);
  expect(over[0]).toBeInstanceOf(AbortError);
  expect((over[0] as AbortError).name).toBe('AbortError');
}

export async function allClosed({ server }: Serving): Promise<void> {
  await until(
    () => server.connections,
    (count) => count === 0,
  );
}
