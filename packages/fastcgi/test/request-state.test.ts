import { describe, expect, it } from '@jest/globals';
import { RequestState } from '../src/request-state.ts';

describe('PARAMS that lie in memory that is used again', () => {
  it('are copied once, be it asked twice', () => {
    const memory = Buffer.from('abc');
    const state = new RequestState(1, 'responder');
    state.addParams(memory);
    expect(state.params).toBe(memory);
    state.retain();
    const kept = state.params;
    memory.fill(0);
    expect(kept.toString()).toBe('abc');
    state.retain();
    expect(state.params).toBe(kept);
  });

  it('are copied where a second piece joins them', () => {
    const memory = Buffer.from('abcdef');
    const state = new RequestState(1, 'responder');
    state.addParams(memory.subarray(0, 3));
    state.addParams(memory.subarray(3));
    memory.fill(0);
    expect([state.paramsBytes, state.takeParams().toString()]).toEqual([6, 'abcdef']);
    expect([state.paramsBytes, state.params.length]).toEqual([0, 0]);
  });
});
