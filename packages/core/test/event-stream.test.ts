import { describe, expect, it } from '@jest/globals';
import { isEventStream, unbuffered } from '../src/event-stream.ts';

describe('isEventStream', () => {
  it.each([
    [['Content-Type', 'text/event-stream'], true],
    [['X-A', 'b', 'content-TYPE', 'Text/Event-Stream; charset=utf-8'], true],
    [['Content-Type', 'text/plain'], false],
    [['Content-Type', 'text/event-streams'], false],
    [['Content-Typo', 'text/event-stream'], false],
    [[], false],
  ])('of %j: %s', (headers, so) => {
    expect(isEventStream(headers)).toBe(so);
  });
});

describe('unbuffered', () => {
  it('adds the mark, and leaves the array that it was given alone', () => {
    const headers = ['A', 'b'];
    expect(unbuffered(headers)).toEqual(['A', 'b', 'X-Accel-Buffering', 'no']);
    expect(headers).toEqual(['A', 'b']);
  });

  it.each(['yes', 'no'])('lets the application say %s', (value) => {
    const headers = ['x-ACCEL-buffering', value];
    expect(unbuffered(headers)).toBe(headers);
  });
});
