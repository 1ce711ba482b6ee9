import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { RequestProgress } from '../src/request-progress.ts';

/** A socket that has received so many bytes. */
function socketOf(): { socket: Socket; receive(bytes: number): void } {
  const socket = new Socket();
  let bytesRead = 0;
  Object.defineProperty(socket, 'bytesRead', { get: () => bytesRead });
  return {
    socket,
    receive(bytes) {
      bytesRead += bytes;
    },
  };
}

it('a request has begun when bytes come that belong to none before', () => {
  const { socket, receive } = socketOf();
  const progress = new RequestProgress(socket, 0);
  expect([progress.open, progress.pending, progress.complete]).toEqual([false, false, true]);
  receive(10);
  expect(progress.pending).toBe(true);
  const request = new IncomingMessage(socket);
  progress.begin(request);
  expect([progress.open, progress.pending, progress.complete]).toEqual([true, false, false]);
  receive(10);
  progress.settle();
  expect(progress.open).toBe(true);
  request.complete = true;
  progress.settle();
  expect([progress.open, progress.pending]).toEqual([false, false]);
  receive(1);
  expect(progress.pending).toBe(true);
});

it('silence is counted from the look that saw the latest bytes', () => {
  const { socket, receive } = socketOf();
  const progress = new RequestProgress(socket, 1000);
  expect(progress.look(1500)).toBe(false);
  expect(progress.silentFor(1500)).toBe(500);
  receive(5);
  expect(progress.look(2000)).toBe(true);
  expect([progress.silentFor(2100), progress.received]).toEqual([100, 5]);
  expect(progress.look(2200)).toBe(false);
});
