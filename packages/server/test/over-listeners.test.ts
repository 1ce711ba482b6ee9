import { expect, it } from '@jest/globals';
import type { Exchange } from '@postern/core';
import { type OverListeners, tellOver, withListener } from '../src/over-listeners.ts';

it('all listeners hear in their order, whatever one of them throws', () => {
  const told: unknown[] = [];
  const exchange = {} as Exchange;
  const context = { report: (error: unknown, of: Exchange) => told.push([error, of === exchange]) };
  let listeners: OverListeners;
  tellOver(listeners, undefined, exchange, context);
  for (const name of ['a', 'b', 'c']) {
    listeners = withListener(listeners, (reason) => {
      told.push(`${name} ${reason?.message}`);
      if (name === 'b') throw 'thrown';
    });
  }
  tellOver(listeners, new Error('left'), exchange, context);
  expect(told).toEqual(['a left', 'b left', ['thrown', true], 'c left']);
});
